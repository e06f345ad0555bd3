"""Where the pictures and masks of a card lie, and the card of the embedded digit scenes.  Torch-free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from zoo.api.data import DataCard, DataSource, Split
from zoo.data.formats.masks.index_mask import drawn_mask, read_mask
from zoo.data.formats.masks.layouts import SCENES
from zoo.data.formats.masks.masks import MaskSample, mask_fingerprint
from zoo.data.formats.pictures.decode import read_picture, white_level
from zoo.data.image.reading import Pixels, files_root, unchanged

if TYPE_CHECKING:
    from zoo.data.embedded.scenes import Scenes

BACKGROUND = "background"
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def scenes_card(source: DataSource) -> DataCard:
    """2,400 scenes for training, 240 for validation and 400 for testing; nothing needs checking."""
    from zoo.data.embedded import digits, scenes  # noqa: PLC0415  composing them takes a third of a second

    side = scenes.SIDE
    classes = (BACKGROUND, *scenes.CLASSES)
    splits: dict[Split, tuple[MaskSample, ...]] = {
        split: tuple(
            MaskSample(name=f"{split}/{number}", sides=(side, side), index=number)
            for number in range(scenes.COUNTS[split])
        )
        for split in SPLITS
    }
    return DataCard(
        source=source,
        splits=splits,
        classes=classes,
        facts={"channels": 1, "height": [side, side], "width": [side, side]},
        fingerprint=mask_fingerprint(f"{SCENES} {digits.SHA256}", classes, splits),
    )


def stacked(card: DataCard, split: Split) -> Pixels | None:
    """All pictures of a split in one array, grey levels [n, 96, 96]; None for folders of files."""
    return _scenes(split).images[_indices(card, split)] if card.source.format == SCENES else None


def stacked_masks(card: DataCard, split: Split) -> Pixels | None:
    """All masks of a split in one array, [n, 96, 96]; None for folders of files."""
    return _scenes(split).masks[_indices(card, split)] if card.source.format == SCENES else None


def _indices(card: DataCard, split: Split) -> list[int]:
    samples: Sequence[MaskSample] = card.splits[split]
    return [sample.index for sample in samples]


def reader(card: DataCard) -> Callable[[MaskSample], Pixels]:
    """A function from a sample to its picture, uint8 [height, width, 3]."""
    if card.source.format == SCENES:
        return _scene
    root, white = files_root(card), white_level(card.facts)
    return unchanged(lambda sample: read_picture(root / sample.name, white=white))


def mask_reader(card: DataCard) -> Callable[[MaskSample], Pixels]:
    """A function from a sample to its classes, uint8 [height, width]; 255 is left open."""
    if card.source.format == SCENES:
        return lambda sample: _scenes(_split(sample)).masks[sample.index]
    root = files_root(card)

    def read(sample: MaskSample) -> Pixels:
        return read_mask(root / sample.mask, sample.coding) if sample.mask else drawn_mask(sample.shapes, *sample.sides)

    return unchanged(read)


def _scene(sample: MaskSample) -> Pixels:
    return np.repeat(_scenes(_split(sample)).images[sample.index][..., None], 3, axis=2)


def _scenes(split: Split) -> Scenes:
    from zoo.data.embedded import scenes  # noqa: PLC0415  only for the embedded scenes

    return scenes.load(split)


def _split(sample: MaskSample) -> Split:
    return cast(Split, sample.name.partition("/")[0])
