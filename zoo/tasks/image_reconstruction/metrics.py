"""How close reconstructions come to their originals.  [torch]"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor
from torchmetrics import MeanMetric
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

from zoo.api.problem import ImageInput
from zoo.data.charts import save, wall
from zoo.data.image.postprocess import Picture

if TYPE_CHECKING:
    from zoo.api.task import Batch

KEPT: Final = 8
WINDOW: Final = 11
"""Side of the window of SSIM in pixels, as in Wang et al. 2004; smaller for smaller pictures."""


class ReconstructionMetrics:
    """`outputs["reconstruction"]` against `batch["input"]`, both brought back to levels in 0..1: psnr and ssim.

    Where a model gives `nats` [n], its negative evidence lower bound, and `kl` [n], the divergence of its codes in
    that, their means over the pictures are metrics too.
    """

    def __init__(self, image: ImageInput) -> None:
        self.picture = Picture(image)
        side = min(WINDOW, *image.size)
        self.metrics = {
            "psnr": PeakSignalNoiseRatio(data_range=1.0),
            "ssim": StructuralSimilarityIndexMeasure(data_range=1.0, kernel_size=side - 1 + side % 2),
        }
        self.bounds = {"nats": MeanMetric(), "kl": MeanMetric()}
        self.first: list[tuple[Tensor, Tensor]] = []

    @torch.no_grad()
    def update(self, outputs: Batch, batch: Batch) -> None:
        """Count one batch."""
        self.picture.to(batch["input"].device)
        reconstructed = self.picture.levels(outputs["reconstruction"].float()) / 255
        original = self.picture.levels(batch["input"].float()) / 255
        for metric in self.metrics.values():
            metric.to(reconstructed.device).update(reconstructed, original)
        for name in self.bounds.keys() & outputs.keys():
            self.bounds[name].to(reconstructed.device).update(outputs[name])
        for pair in zip(original.cpu(), reconstructed.cpu(), strict=True):
            if len(self.first) < KEPT:
                self.first.append(pair)

    def compute(self) -> dict[str, float]:
        """psnr in decibels over all pixels, ssim and nats as the mean over pictures; over all processes together."""
        measured = {name: metric for name, metric in self.bounds.items() if metric.update_called}
        return {name: float(metric.compute()) for name, metric in {**self.metrics, **measured}.items()}

    def pictures(self, folder: Path) -> list[Path]:
        """reconstructions.png: the first originals, each with its reconstruction."""
        tiles = [(pair * 255).round().to(torch.uint8).permute(1, 2, 0).numpy() for both in self.first for pair in both]
        titles = ["original", "reconstruction"] * len(self.first)
        return [save(wall(tiles, titles), folder / "reconstructions.png")] if tiles else []
