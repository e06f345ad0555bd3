"""The boxes of a split of pictures, in pixels of the resized pictures.  [torch]"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from zoo.api.task import Batch
from zoo.data.formats.detection.objects import Box, ObjectSample
from zoo.data.image.dataset import PictureDataset


class LearntObjects(PictureDataset):
    """Pictures for training: regions to ignore have the picture's mean colour, or they were learnt as background."""

    def batch(self, indices: Sequence[int]) -> Batch:
        """image uint8 [n, channels, h, w], index int64 [n], and the lists of `object_targets`."""
        batch = super().batch(indices)
        for picture, regions, boxes in zip(batch["image"], batch["ignored"], batch["boxes"], strict=True):
            hide(picture, regions, boxes)
        return batch


def object_targets(samples: Sequence[ObjectSample], size: tuple[int, int]) -> Mapping[str, list[Tensor]]:
    """A tensor for each sample: boxes float32 [k, 4] in pixels of pictures of this height and width, labels int64 [k].

    `ignored` and `ignored_labels` are the same of crowd regions and difficult objects: a metric counts what is found
    there neither as right nor as wrong.
    """
    height, width = size
    sides = torch.tensor([sample.sides for sample in samples], dtype=torch.float32)
    factors = torch.tensor([width, height, width, height]) / sides.flip(1).repeat(1, 2)
    rows = list(zip(samples, factors, strict=True))
    return {
        "boxes": [_boxes(sample.boxes) * factor for sample, factor in rows],
        "labels": [torch.tensor(sample.labels, dtype=torch.int64) for sample in samples],
        "ignored": [_boxes(box for box, _ in sample.ignored) * factor for sample, factor in rows],
        "ignored_labels": [
            torch.tensor([label for _, label in sample.ignored], dtype=torch.int64) for sample in samples
        ],
    }


def _boxes(boxes: Iterable[Box]) -> Tensor:
    return torch.tensor(list(boxes), dtype=torch.float32).reshape(-1, 4)


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
