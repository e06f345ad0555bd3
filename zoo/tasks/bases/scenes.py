"""Tasks on pictures with objects or masks, which share the embedded digit scenes.  Torch-free."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from PIL import Image

from zoo.api.data import DataCard, Split
from zoo.data.formats.detection.layouts import SCENES
from zoo.data.formats.pictures.decode import read_picture, white_level
from zoo.data.image.cases import TINT
from zoo.data.image.reading import Pixels, files_root, unchanged
from zoo.tasks.bases.pictures import PictureData

if TYPE_CHECKING:
    from zoo.data.embedded.scenes import Scenes

SPLITS: Final[tuple[Split, ...]] = ("train", "validation", "test")


class SceneData(PictureData):
    """Annotated pictures in files, or the embedded digit scenes; a task adds `detect` and `check`.

    A sample has a `name`, below the root, and of a scene its `index`.
    """

    embedded = SCENES

    def reader(self, card: DataCard) -> Callable[[Any], Pixels]:
        """From files, or of the embedded scenes."""
        if card.source.format == SCENES:
            return lambda sample: np.repeat(scenes_of(sample).images[sample.index][..., None], 3, axis=2)
        root, white = files_root(card), white_level(card.facts)
        return unchanged(lambda sample: read_picture(root / sample.name, white=white))

    def stacked(self, card: DataCard, split: Split) -> Pixels | None:
        """All embedded scenes of a split, grey levels [n, 96, 96]; None for files."""
        if card.source.format != SCENES:
            return None
        return load_scenes(split).images[scene_indices(card, split)]


def load_scenes(split: Split) -> Scenes:
    """The embedded scenes of a split."""
    from zoo.data.embedded import scenes  # noqa: PLC0415  composing them takes a third of a second

    return scenes.load(split)


def scenes_of(sample: Any) -> Scenes:
    """The scenes among which an embedded sample is."""
    return load_scenes(cast("Split", sample.name.partition("/")[0]))


def scene_indices(card: DataCard, split: Split) -> list[int]:
    """Which scenes of its split a card holds."""
    return [sample.index for sample in card.splits[split]]


def tinted(image: Pixels) -> Pixels:
    """A grey picture with a colour."""
    return cast("Pixels", (image * TINT).astype(np.uint8))


def resized(image: Pixels, height: int, width: int) -> Pixels:
    """A picture at another size."""
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))
