"""One split of pictures with boxes, batch by batch; boxes are in pixels of the resized pictures.  [torch]"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from zoo.api.data import DataCard, Split
from zoo.api.errors import DataError
from zoo.api.problem import ImageInput
from zoo.data.formats.detection.objects import ObjectSample
from zoo.data.image.dataset import Levels, open_levels
from zoo.data.image.preprocess import ImagePrepare
from zoo.tasks.object_detection.sources import reader, stacked

if TYPE_CHECKING:
    from zoo.api.task import Batch


class ObjectDataset:
    """A split; images are kept as whole grey levels, so that nothing is lost before `ready`."""

    def __init__(
        self,
        samples: Sequence[ObjectSample],
        levels: Levels,
        sides: Tensor,
        prepare: ImagePrepare,
        *,
        hide_ignored: bool = False,
    ) -> None:
        self.names = [sample.name for sample in samples]
        self.levels = levels
        self.hide_ignored = hide_ignored
        self.prepare = prepare
        height, width = prepare.size
        factors = torch.tensor([width, height, width, height]) / sides.flip(1).repeat(1, 2)
        self.boxes = [
            torch.tensor(sample.boxes, dtype=torch.float32).reshape(-1, 4) * factor
            for sample, factor in zip(samples, factors, strict=True)
        ]
        self.labels = [torch.tensor(sample.labels, dtype=torch.int64) for sample in samples]
        self.ignored = [
            torch.tensor([box for box, _ in sample.ignored], dtype=torch.float32).reshape(-1, 4) * factor
            for sample, factor in zip(samples, factors, strict=True)
        ]
        self.ignored_labels = [
            torch.tensor([label for _, label in sample.ignored], dtype=torch.int64) for sample in samples
        ]

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: Sequence[int]) -> Batch:
        """image uint8 [n, channels, h, w]; lists of n: boxes float32 [k, 4], labels int64 [k], names; index int64 [n].

        The lists `ignored` and `ignored_labels` are the same of crowd regions and difficult objects: a metric counts
        what is found there neither as right nor as wrong.  Of training pictures these regions have the picture's mean
        colour, so that what they show is not learnt as background.
        """
        index = torch.as_tensor(indices, dtype=torch.int64)
        image = self.levels.take(index)
        if self.hide_ignored:
            for picture, i in zip(image, indices, strict=True):
                hide(picture, self.ignored[i], self.boxes[i])
        return {
            "image": image,
            "boxes": [self.boxes[i] for i in indices],
            "labels": [self.labels[i] for i in indices],
            "ignored": [self.ignored[i] for i in indices],
            "ignored_labels": [self.ignored_labels[i] for i in indices],
            "index": index,
            "name": [self.names[i] for i in indices],
        }

    def ready(self, batch: Batch) -> Batch:
        """The batch with `input`: its images as the model takes them, float32 [n, channels, h, w]."""
        return self.prepare.ready(batch)


def hide(picture: Tensor, regions: Tensor, boxes: Tensor) -> None:
    """Give the regions [m, 4] of a picture uint8 [c, h, w] its mean colour, but for what lies in the boxes [k, 4]."""
    if not len(regions):
        return
    hidden = torch.zeros(picture.shape[1:], dtype=torch.bool)
    for value, frames in ((True, regions), (False, boxes)):
        for left, top, right, bottom in frames.tolist():
            hidden[int(top) : math.ceil(bottom), int(left) : math.ceil(right)] = value
    mean = picture.float().mean((1, 2)).round().to(torch.uint8)
    picture[:, hidden] = mean[:, None]


@torch.no_grad()
def open_split(card: DataCard, split: Split, image: ImageInput) -> ObjectDataset:
    """One split of a checked card, resized to a model's input without cropping."""
    samples: Sequence[ObjectSample] | None = card.splits.get(split)
    if not samples:
        raise DataError(f"{card.source.request.source} has no {split} split")
    prepare = ImagePrepare(image).requires_grad_(False)
    grey = card.facts.get("channels") == 1
    levels = open_levels(samples, reader(card), prepare, grey=grey, stacked=lambda: stacked(card, split))
    sides = torch.tensor([sample.sides for sample in samples], dtype=torch.float32)
    return ObjectDataset(samples, levels, sides, prepare, hide_ignored=split == "train")
