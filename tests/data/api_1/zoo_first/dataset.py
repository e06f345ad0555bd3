"""The torch side of the task: one split batch by batch, the end of the pipeline, the metric.  [torch]"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torchmetrics import MeanMetric

from zoo import Batch, DataCard, DataError, ImageInput, ImagePrepare, Split, open_levels
from zoo_first.layout import Sample, reader


class Values:
    """A split of pictures with their numbers; pictures are kept as whole levels, so that nothing is lost."""

    @torch.no_grad()
    def __init__(self, card: DataCard, split: Split, image: ImageInput) -> None:
        samples: Sequence[Sample] = card.splits.get(split) or ()
        if not samples:
            raise DataError(f"{card.source.request.source} has no {split} split")
        self.prepare = ImagePrepare(image).requires_grad_(False)
        grey = card.facts["channels"] == 1
        self.levels = open_levels(samples, reader(card), self.prepare, grey=grey, stacked=lambda: None)
        self.values = torch.tensor([[sample.value] for sample in samples], dtype=torch.float32)

    def __len__(self) -> int:
        return len(self.values)

    def batch(self, indices: Sequence[int]) -> Batch:
        """image uint8 [n, channels, h, w], value float32 [n, 1]."""
        index = torch.as_tensor(indices, dtype=torch.int64)
        return {"image": self.levels.take(index), "value": self.values[index]}

    def ready(self, batch: Batch) -> Batch:
        """The batch with `input`: its images as the model takes them, float32 [n, channels, h, w]."""
        image = batch["image"]
        if self.prepare.mean.device != image.device:
            self.prepare.to(image.device)
        return {**batch, "input": self.prepare.normalise(image)}


def mirrored(batch: Batch, generator: torch.Generator) -> Batch:
    """Half of the pictures, left and right exchanged."""
    image = batch["image"]
    chosen = torch.rand(len(image), generator=generator, device=image.device) < 0.5
    return {**batch, "image": torch.where(chosen.view(-1, 1, 1, 1), image.flip(3), image)}


class First(nn.Module):
    """value float32 [1, 1] -> float32 [1]."""

    def forward(self, value: Tensor) -> Tensor:
        """The only one of the batch."""
        return value.squeeze(0)


class Errors:
    """The mean distance of numbers from the truth."""

    def __init__(self) -> None:
        self.error = MeanMetric()

    @torch.no_grad()
    def update(self, outputs: Batch, batch: Batch) -> None:
        """Count `value` [n, 1] of both."""
        away = (outputs["value"] - batch["value"]).abs()
        self.error.to(away.device).update(away)

    def compute(self) -> dict[str, float]:
        """error, over all processes together."""
        return {"error": float(self.error.compute())}

    def pictures(self, folder: Path) -> list[Path]:
        """None yet."""
        return []
