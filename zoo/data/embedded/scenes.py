"""The embedded digit scenes: 96 x 96 pictures with up to four digits, composed from the digits pack.

Nothing is shipped for them: the same scenes come out everywhere, because they are drawn from numpy's frozen
legacy stream.  Scenes for training hold training digits, those for validation and test theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from zoo.api.data import Split
from zoo.data.embedded import digits

Array = TypeVar("Array", bound=npt.NDArray[Any])

SIDE: Final = 96
CLASSES: Final = digits.CLASSES
COUNTS: Final[dict[Split, int]] = {"train": 2_400, "validation": 240, "test": 400}
MAX_DIGITS: Final = 4
"""The largest number of digits in a scene."""
EMPTY: Final = 20
"""One scene in so many holds no digit at all."""
INK: Final = 60
"""A pixel above this grey level belongs to the digit; the rest of its picture does not."""
_SEEDS: Final[dict[Split, int]] = {"train": 96_001, "validation": 96_002, "test": 96_003}
_ATTEMPTS: Final = 25


@dataclass(frozen=True, slots=True)
class Scenes:
    """One split; read-only arrays."""

    images: npt.NDArray[np.uint8]
    """Grey levels, uint8 [n, 96, 96]."""
    masks: npt.NDArray[np.uint8]
    """0 for background, 1 + digit for a digit's ink, uint8 [n, 96, 96]."""
    boxes: tuple[npt.NDArray[np.float32], ...]
    """Per scene float32 [k, 4]: left, top, right, bottom in pixels, tight around the ink."""
    labels: tuple[npt.NDArray[np.int64], ...]
    """Per scene int64 [k]: the digits."""


@cache
def load(split: Split) -> Scenes:
    """The scenes of one split, composed in about a tenth of a second per thousand."""
    pictures, labels = digits.load().split(split)
    random = np.random.RandomState(_SEEDS[split])
    count = COUNTS[split]
    images = np.zeros((count, SIDE, SIDE), np.uint8)
    masks = np.zeros((count, SIDE, SIDE), np.uint8)
    boxes, names = [], []
    for number in range(count):
        wanted = 0 if number % EMPTY == EMPTY - 1 else random.randint(1, MAX_DIGITS + 1)
        chosen = random.randint(0, len(pictures), wanted)
        placed: list[tuple[int, int, int, int]] = []
        kept = []
        for index in chosen:
            crop = _crop(pictures[index])
            box = _free_box(crop.shape, placed, random)
            if box is None:
                continue
            left, top, right, bottom = box
            images[number, top:bottom, left:right] = crop
            masks[number, top:bottom, left:right][crop > INK] = labels[index] + 1
            placed.append(box)
            kept.append(labels[index])
        boxes.append(_frozen(np.array(placed, np.float32).reshape(-1, 4)))
        names.append(_frozen(np.array(kept, np.int64)))
    return Scenes(_frozen(images), _frozen(masks), tuple(boxes), tuple(names))


def _crop(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The part of a digit's picture that its ink spans."""
    ink = picture > INK
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _free_box(
    shape: tuple[int, ...], taken: list[tuple[int, int, int, int]], random: np.random.RandomState
) -> tuple[int, int, int, int] | None:
    """A box of this shape at least a pixel away from the others; None where no attempt found one."""
    height, width = shape
    for _ in range(_ATTEMPTS):
        left, top = random.randint(0, SIDE - width + 1), random.randint(0, SIDE - height + 1)
        right, bottom = left + width, top + height
        if all(left > r or right < x or top > b or bottom < y for x, y, r, b in taken):
            return left, top, right, bottom
    return None


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array
