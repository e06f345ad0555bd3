"""Inputs that a segmenter is proved with: scenes, odd sizes and shapes, colours and noise.  Torch-free."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Final, cast

import numpy as np
from PIL import Image

from zoo.api.data import DataCard, DataRequest, DataSource
from zoo.api.problem import Problem
from zoo.api.task import Case, Purpose
from zoo.data.formats.masks.layouts import SCENES
from zoo.data.image.cases import picture_cases
from zoo.data.image.reading import Pixels
from zoo.tasks.semantic_segmentation.sources import mask_reader, reader, scenes_card

TINT: Final = np.array([1.0, 0.7, 0.45])
"""Gives a grey picture colour, so that swapped channels are noticed."""
SHAPES: Final = ((150, 211), (233, 71), (64, 64))
"""Heights and widths to which pictures of the data are resized as further cases."""


def cases(card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
    """At most `limit` cases for a purpose; deterministic.  The truth of an item is its mask."""
    if card is None and problem.classes == _embedded().classes and purpose != Purpose.EVALUATION:
        card = _embedded()
    if purpose != Purpose.PIPELINE:
        return _around(card, problem, purpose, limit=limit)
    usual = _around(card, problem, purpose, limit=limit)
    return islice(chain(_reshaped(_around(card, problem, Purpose.EVALUATION, limit=limit)), usual, _tiny()), limit)


def _embedded() -> DataCard:
    return scenes_card(DataSource(request=DataRequest(source=SCENES), format=SCENES))


def _around(card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
    """The cases of every task on pictures, with the masks of the data's own."""
    if card is None:
        return picture_cases(None, problem.image, purpose, truth=lambda *_: None, limit=limit)
    read_mask = mask_reader(card)
    return picture_cases(
        card, problem.image, purpose, truth=lambda sample, _: read_mask(sample), read=reader(card), limit=limit
    )


def _reshaped(items: Iterator[Case]) -> Iterator[Case]:
    """The data's own pictures, coloured, in other sizes and shapes."""
    for (height, width), case in zip(SHAPES, items, strict=False):
        picture = Image.fromarray(_tinted(case.inputs["image"])).resize((width, height), Image.Resampling.BILINEAR)
        yield Case(
            name=f"{height}x{width}",
            kind="realistic",
            inputs={"image": np.asarray(picture)},
            origin=f"{case.origin}, tinted and resized",
        )


def _tiny() -> Iterator[Case]:
    """Pictures of a few pixels."""
    for height, width in ((1, 1), (2, 5)):
        levels = np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3) * 16 + 7
        yield Case(name=f"{height}x{width}", kind="tiny", inputs={"image": levels}, gates=False, origin="synthetic")


def _tinted(image: Pixels) -> Pixels:
    return cast(Pixels, (image * TINT).astype(np.uint8))
