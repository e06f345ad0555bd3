"""The masks of a split of pictures, at the model's size.  [torch]"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from zoo.api.data import DataCard, Split
from zoo.api.problem import ImageInput
from zoo.data.image.dataset import Levels, open_levels
from zoo.data.image.preprocess import ImagePrepare
from zoo.tasks.semantic_segmentation.sources import mask_reader, stacked_masks


@dataclass(frozen=True, slots=True)
class Masks:
    """The masks of all samples; 255 stands for pixels left open."""

    levels: Levels

    def take(self, index: Tensor) -> Tensor:
        """uint8 [n, h, w] of the samples at these indices."""
        return self.levels.take(index)[:, 0]


def open_masks(card: DataCard, split: Split, image: ImageInput) -> Masks:
    """The masks of one split, resized to a model's input without cropping: each pixel the class of the nearest."""
    nearest = ImagePrepare(replace(image, channels=1, mean=(0.0,), std=(1.0,), interpolation="nearest"))
    read = mask_reader(card)
    levels = open_levels(
        card.splits[split],
        lambda sample: read(sample)[..., None],
        nearest.requires_grad_(False),
        grey=True,
        stacked=lambda: stacked_masks(card, split),
    )
    return Masks(levels)
