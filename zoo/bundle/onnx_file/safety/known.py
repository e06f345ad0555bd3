"""What is known of a tensor before anything runs: its shape, how many elements it has at least, its values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_FOLLOWED_ELEMENTS = 64
"""Elements of a tensor whose values are followed."""
Array = np.ndarray[Any, Any]
Attributes = Mapping[str, Any]
Shape = tuple[int | None, ...]
"""None for a dimension that depends on inputs."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a tensor; nothing by default."""

    shape: Shape | None = None
    elements: int = 1
    """At least so many; a dimension that depends on inputs counts as 1."""
    values: Array | None = None


UNKNOWN = Known()


def sized(shape: Shape | None) -> Known:
    """Of a tensor of this shape."""
    return UNKNOWN if shape is None else Known(shape, math.prod(1 if size is None else size for size in shape))


def constant(array: Array) -> Known:
    """Of a tensor whose values are there."""
    small = array.size <= MAX_FOLLOWED_ELEMENTS and array.dtype.kind in "biuf"
    return Known(array.shape, array.size, array if small else None)


def integers(known: Known) -> tuple[int, ...] | None:
    """The values as whole numbers; None where they depend on inputs."""
    return None if known.values is None else tuple(int(value) for value in known.values.ravel())


def _broadcast_size(a: int | None, b: int | None) -> int | None:
    if a is None or b is None:
        known = b if a is None else a
        return known if known is not None and known > 1 else None
    return 0 if 0 in (a, b) else max(a, b)


def broadcast(a: Shape, b: Shape) -> Shape:
    """The shape of two arrays together."""
    rank = max(len(a), len(b))
    pairs = zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b, strict=True)
    return tuple(_broadcast_size(*pair) for pair in pairs)
