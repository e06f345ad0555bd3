"""Where the masks of a card lie, and the card of the embedded digit scenes.  Torch-free."""

from __future__ import annotations

from collections.abc import Callable

from zoo.api.data import DataCard, DataSource, Split
from zoo.data.embedded.digits import CLASSES
from zoo.data.formats.masks.index_mask import drawn_mask, read_mask
from zoo.data.formats.masks.layouts import SCENES
from zoo.data.formats.masks.masks import MaskSample, mask_fingerprint
from zoo.data.image.reading import Pixels, files_root, unchanged
from zoo.tasks.bases.scenes import SPLITS, load_scenes, scene_indices, scenes_of

SCENE_CLASSES = ("background", *CLASSES)


def scenes_card(source: DataSource) -> DataCard:
    """2,400 scenes for training, 240 for validation and 400 for testing; nothing needs checking."""
    from zoo.data.embedded import digits, scenes  # noqa: PLC0415  composing them takes a third of a second

    side = scenes.SIDE
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
        classes=SCENE_CLASSES,
        facts={"channels": 1, "height": [side, side], "width": [side, side]},
        fingerprint=mask_fingerprint(f"{SCENES} {digits.IDENTITY}", SCENE_CLASSES, splits),
    )


def stacked_masks(card: DataCard, split: Split) -> Pixels | None:
    """All masks of a split in one array, [n, 96, 96]; None for folders of files."""
    return load_scenes(split).masks[scene_indices(card, split)] if card.source.format == SCENES else None


def mask_reader(card: DataCard) -> Callable[[MaskSample], Pixels]:
    """A function from a sample to its classes, uint8 [height, width]; 255 is left open."""
    if card.source.format == SCENES:
        return lambda sample: scenes_of(sample).masks[sample.index]
    root = files_root(card)

    def read(sample: MaskSample) -> Pixels:
        return read_mask(root / sample.mask, sample.coding) if sample.mask else drawn_mask(sample.shapes, *sample.sides)

    return unchanged(read)
