"""Raw pictures that a segmenter is proved with beside the usual ones: odd sizes, a few pixels.  Torch-free."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

import numpy as np

from zoo.api.task import Case
from zoo.tasks.bases.scenes import resized, tinted

SHAPES: Final = ((150, 211), (233, 71), (64, 64))
"""Heights and widths to which pictures of the data are resized as further cases."""


def cases(items: Iterator[Case], usual: Iterator[Case], *, limit: int) -> Iterator[Case]:
    """Raw pictures: the data's own `items`, coloured and in other sizes, then the usual ones, then tiny ones."""
    return islice(chain(_reshaped(items), usual, _tiny()), limit)


def _reshaped(items: Iterator[Case]) -> Iterator[Case]:
    """The data's own pictures, coloured, in other sizes and shapes."""
    for (height, width), case in zip(SHAPES, items, strict=False):
        yield Case(
            name=f"{height}x{width}",
            kind="realistic",
            inputs={"image": resized(tinted(case.inputs["image"]), height, width)},
            origin=f"{case.origin}, tinted and resized",
        )


def _tiny() -> Iterator[Case]:
    """Pictures of a few pixels."""
    for height, width in ((1, 1), (2, 5)):
        levels = np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3) * 16 + 7
        yield Case(name=f"{height}x{width}", kind="tiny", inputs={"image": levels}, gates=False, origin="synthetic")
