"""The card of the embedded digit scenes.  Torch-free."""

from __future__ import annotations

from typing import cast

from zoo.api.data import DataCard, DataSource, Split
from zoo.data.formats.detection.layouts import SCENES
from zoo.data.formats.detection.objects import ObjectSample, object_fingerprint
from zoo.tasks.bases.scenes import SPLITS


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
        fingerprint=object_fingerprint(f"{SCENES} {digits.IDENTITY}", scenes.CLASSES, splits),
    )
