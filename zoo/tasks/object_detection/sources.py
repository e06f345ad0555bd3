"""Where the pictures of a card lie, and the card of the embedded digit scenes.  Torch-free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from zoo.api.data import DataCard, DataSource, Split
from zoo.data.formats.detection.layouts import SCENES
from zoo.data.formats.detection.objects import ObjectSample, object_fingerprint
from zoo.data.formats.pictures.decode import read_picture, white_level
from zoo.data.image.reading import Pixels, files_root, unchanged

SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def scenes_card(source: DataSource) -> DataCard:
    """2,400 scenes for training, 240 for validation and 400 for testing; nothing needs checking."""
    from zoo.data.embedded import digits, scenes  # noqa: PLC0415  composing them takes a third of a second

    splits: dict[Split, tuple[ObjectSample, ...]] = {}
    for split in SPLITS:
        world = scenes.load(split)
        pairs = zip(world.boxes, world.labels, strict=True)
        splits[split] = tuple(
            ObjectSample(
                name=f"{split}/{number}",
                boxes=tuple(cast("tuple[float, float, float, float]", tuple(box)) for box in boxes.tolist()),
                labels=tuple(labels.tolist()),
                sides=(scenes.SIDE, scenes.SIDE),
                index=number,
            )
            for number, (boxes, labels) in enumerate(pairs)
        )
    side = [scenes.SIDE, scenes.SIDE]
    return DataCard(
        source=source,
        splits=splits,
        classes=scenes.CLASSES,
        facts={"channels": 1, "height": [*side], "width": [*side], "fullest": scenes.MAX_DIGITS},
        fingerprint=object_fingerprint(f"{SCENES} {digits.SHA256}", scenes.CLASSES, splits),
    )


def stacked(card: DataCard, split: Split) -> Pixels | None:
    """All pictures of a split in one array, grey levels [n, 96, 96]; None for folders of files."""
    if card.source.format != SCENES:
        return None
    return _scenes(split)[[sample.index for sample in cast("Sequence[ObjectSample]", card.splits[split])]]


def _scenes(split: Split) -> Pixels:
    from zoo.data.embedded import scenes  # noqa: PLC0415  only for the embedded scenes

    return scenes.load(split).images


def reader(card: DataCard) -> Callable[[ObjectSample], Pixels]:
    """A function from a sample to uint8 [height, width, 3]."""
    if card.source.format == SCENES:
        return _read_scene
    root, white = files_root(card), white_level(card.facts)
    return unchanged(lambda sample: read_picture(root / sample.name, white=white))


def _read_scene(sample: ObjectSample) -> Pixels:
    grey = _scenes(cast(Split, sample.name.partition("/")[0]))[sample.index]
    return np.repeat(grey[..., None], 3, axis=2)
