"""One split of pictures with points, batch by batch; points are shares of the picture's width and height.  [torch]"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from zoo import Batch, DataCard, DataError, ImageInput, ImagePrepare, Split, open_levels
from zoo_keypoints.layout import PointSample, reader, stacked


class PointDataset:
    """A split, its pictures stretched to the model's size and kept as whole grey levels."""

    @torch.no_grad()
    def __init__(self, card: DataCard, split: Split, image: ImageInput) -> None:
        samples: Sequence[PointSample] = card.splits.get(split) or ()
        if not samples:
            raise DataError(f"{card.source.request.source} has no {split} split")
        self.prepare = ImagePrepare(image).requires_grad_(False)
        grey = card.facts.get("channels") == 1
        self.levels = open_levels(samples, reader(card), self.prepare, grey=grey, stacked=lambda: stacked(card, split))
        self.sides = torch.tensor([sample.sides[::-1] for sample in samples], dtype=torch.float32)
        points = torch.tensor([sample.points for sample in samples], dtype=torch.float32)
        self.points = points / self.sides[:, None]

    def __len__(self) -> int:
        return len(self.points)

    def batch(self, indices: Sequence[int]) -> Batch:
        """image uint8 [n, channels, h, w]; points [n, k, 2], x and y in 0..1; sides [n, 2], width and height."""
        index = torch.as_tensor(indices, dtype=torch.int64)
        return {
            "image": self.levels.take(index),
            "points": self.points[index],
            "sides": self.sides[index],
            "index": index,
        }

    def ready(self, batch: Batch) -> Batch:
        """The batch with `input`: its images as the model takes them, float32 [n, channels, h, w]."""
        return self.prepare.ready(batch)
