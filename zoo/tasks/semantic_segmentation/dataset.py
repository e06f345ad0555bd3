"""One split of pictures with masks, batch by batch, both at the model's size.  [torch]"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from zoo.api.data import DataCard, Split
from zoo.api.errors import DataError
from zoo.api.problem import ImageInput
from zoo.data.formats.masks.masks import MaskSample
from zoo.data.image.dataset import Levels, open_levels
from zoo.data.image.preprocess import ImagePrepare
from zoo.tasks.semantic_segmentation.sources import mask_reader, reader, stacked, stacked_masks

if TYPE_CHECKING:
    from zoo.api.task import Batch


class MaskDataset:
    """A split; images are kept as whole grey levels, so that nothing is lost before `ready`."""

    def __init__(self, samples: Sequence[MaskSample], levels: Levels, masks: Levels, prepare: ImagePrepare) -> None:
        self.samples = samples
        self.levels = levels
        self.masks = masks
        self.prepare = prepare

    def __len__(self) -> int:
        return len(self.samples)

    def batch(self, indices: Sequence[int]) -> Batch:
        """image uint8 [n, channels, h, w], mask uint8 [n, h, w] with 255 for pixels left open, index int64 [n], n
        names."""
        index = torch.as_tensor(indices, dtype=torch.int64)
        return {
            "image": self.levels.take(index),
            "mask": self.masks.take(index)[:, 0],
            "index": index,
            "name": [self.samples[i].name for i in indices],
        }

    def ready(self, batch: Batch) -> Batch:
        """The batch with `input`: its images as the model takes them, float32 [n, channels, h, w]."""
        return self.prepare.ready(batch)


@torch.no_grad()
def open_split(card: DataCard, split: Split, image: ImageInput) -> MaskDataset:
    """One split of a checked card, resized without cropping; masks take the class of the nearest pixel."""
    samples: Sequence[MaskSample] | None = card.splits.get(split)
    if not samples:
        raise DataError(f"{card.source.request.source} has no {split} split")
    prepare = ImagePrepare(image).requires_grad_(False)
    nearest = ImagePrepare(replace(image, channels=1, mean=(0.0,), std=(1.0,), interpolation="nearest"))
    read = mask_reader(card)
    grey = card.facts.get("channels") == 1
    levels = open_levels(samples, reader(card), prepare, grey=grey, stacked=lambda: stacked(card, split))
    masks = open_levels(
        samples,
        lambda sample: read(sample)[..., None],
        nearest.requires_grad_(False),
        grey=True,
        stacked=lambda: stacked_masks(card, split),
    )
    return MaskDataset(samples, levels, masks, prepare)
