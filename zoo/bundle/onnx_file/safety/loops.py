"""What a loop carries from turn to turn: followed for the first turns, and carried on from these to the last one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from zoo.bundle.onnx_file.safety.known import Array, Known, sized

MAX_FOLLOWED_TURNS = 8
"""Of one loop, those of the loops around it aside."""
_LARGEST = 2**62
"""What does not fit int64 is as large as this for every purpose here."""


def unchanged(before: Sequence[Known], after: Sequence[Known]) -> bool:
    """Whether a turn left everything that is carried as it was."""
    return len(before) == len(after) and all(map(_same, before, after))


def _same(a: Known, b: Known) -> bool:
    if (a.shape, a.elements) != (b.shape, b.elements):
        return False
    if a.values is None or b.values is None:
        return a.values is b.values
    return np.array_equal(a.values, b.values)


def carried_on(history: Sequence[Sequence[Known]], turns: int) -> list[Known]:
    """What is carried `turns` after the last of some turns, if all goes on as it did."""
    return [_carried_on(list(known)[-3:], turns) for known in zip(*history, strict=True)]


def _carried_on(last: Sequence[Known], turns: int) -> Known:
    known = replace(last[-1], values=_values([one.values for one in last], turns))
    elements = _size([one.elements for one in last], turns)
    shapes = [one.shape for one in last if one.shape is not None]
    if len(shapes) < len(last) or len({len(shape) for shape in shapes}) > 1:
        return replace(known, shape=None, elements=elements)
    axes = [[size for size in sizes if size is not None] for sizes in zip(*shapes, strict=True)]
    shape = tuple(_size(sizes, turns) if len(sizes) == len(last) else None for sizes in axes)
    return replace(known, shape=shape, elements=max(elements, sized(shape).elements))


def _values(last: Sequence[Array | None], turns: int) -> Array | None:
    arrays = [array for array in last if array is not None]
    if len(arrays) < len(last) or len({(array.shape, array.dtype) for array in arrays}) > 1:
        return None
    if all(np.array_equal(array, arrays[-1]) for array in arrays):
        return arrays[-1]
    dtype = arrays[-1].dtype
    if dtype.kind not in "iuf":
        return None
    rows = [_number(row, turns) for row in zip(*(array.ravel().tolist() for array in arrays), strict=True)]
    if dtype.kind in "iu":
        rows = [min(max(row, np.iinfo(dtype).min), np.iinfo(dtype).max) for row in rows]
    return np.array(rows, dtype).reshape(arrays[-1].shape)


def _size(last: Sequence[int], turns: int) -> int:
    return last[-1] if last[-1] > _LARGEST else max(0, int(_number(last, turns)))


def _number(last: Sequence[float], turns: int) -> float:
    """A number that grew by the same factor goes on so, any other by the same difference."""
    if len(last) < 2 or last[-1] == last[-2]:
        return last[-1]
    whole = isinstance(last[-1], int)
    far = last[-1] + (last[-1] - last[-2]) * turns
    if len(last) > 2 and 0 < last[-3] < last[-2] and last[-1] * last[-3] >= last[-2] ** 2:
        factor = last[-1] / last[-2]
        far = last[-1] * factor**turns if turns * np.log2(factor) < 62 else float(_LARGEST)
    far = min(max(far, -_LARGEST), _LARGEST)
    return int(far) if whole else far
