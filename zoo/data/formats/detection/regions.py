"""Regions as COCO writes them, polygons or run lengths: drawn, and the frame around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from zoo.data.formats.detection.coco_document import is_number
from zoo.data.formats.detection.objects import Box

MOST: Final = 2**16
"""Pixels of a side; a longer one would fill the memory."""


def region_frame(region: Any, size: tuple[int, int] | None) -> Box | None:
    """The frame around an annotation's polygons or run lengths; None where they are neither.

    `size` is that of its picture; ValueError where run lengths are for another one, cover nothing or cannot be read.
    """
    if isinstance(region, dict):
        return _frame_of_runs(region, size)
    parts = region if isinstance(region, list) else []
    if not parts or not all(isinstance(part, list) and len(part) > 5 and all(map(is_number, part)) for part in parts):
        return None
    xs, ys = ([float(value) for part in parts for value in part[start::2]] for start in (0, 1))
    return min(xs), min(ys), max(xs), max(ys)


def _frame_of_runs(region: Mapping[str, Any], size: tuple[int, int] | None) -> Box:
    sides = region.get("size")
    if (
        not isinstance(sides, list)
        or len(sides) != 2
        or not all(is_number(side) and 0 < side < 2**16 for side in sides)
    ):
        raise ValueError("its run lengths have no size [height, width]")
    height, width = int(sides[0]), int(sides[1])
    if size is not None and size != (height, width):
        raise ValueError(f"its run lengths are for {width} x {height} pixels, not {size[1]} x {size[0]}")
    drawn = drawn_region(dict(region), height, width)
    rows, columns = (np.flatnonzero(np.any(drawn, axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise ValueError("its run lengths cover no pixel")
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def drawn_region(region: Any, height: int, width: int) -> npt.NDArray[np.bool_]:
    """Polygons [[x, y, x, y, …], …] or run lengths {size, counts} as bool [height, width]; ValueError if neither."""
    from faster_coco_eval.core import mask as coco  # noqa: PLC0415  only for COCO's JSON

    try:
        if isinstance(region, list):
            runs = coco.merge(coco.frPyObjects([[float(value) for value in part] for part in region], height, width))
        else:
            packed = isinstance(region["counts"], str)
            runs = region if packed else coco.frPyObjects(region, height, width)
        drawn = np.asarray(coco.decode(runs))
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
        raise ValueError(f"neither polygons nor run lengths can be read from it: {error}") from error
    if drawn.shape != (height, width):
        raise ValueError(f"its run lengths are for {drawn.shape[1]} x {drawn.shape[0]} pixels, not {width} x {height}")
    return drawn.astype(bool)
