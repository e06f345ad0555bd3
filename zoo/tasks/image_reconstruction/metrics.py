"""How close reconstructions come to their originals.  [torch]"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from zoo.api.problem import ImageInput
from zoo.data.charts import save, wall
from zoo.data.image.postprocess import Picture
from zoo.data.split_sums import SplitSums

if TYPE_CHECKING:
    from zoo.api.task import Batch

KEPT: Final = 8
BOUNDS: Final = ("nats", "kl")
"""What models with an evidence lower bound give of each picture."""
WINDOW: Final = 11
"""Side of the window of SSIM in pixels, as in Wang et al. 2004."""
SIGMA: Final = 1.5
"""Its standard deviation in pixels."""
STABLE: Final = (0.01**2, 0.03**2)
"""What keeps the two quotients of SSIM finite, for levels in 0..1."""


class ReconstructionMetrics:
    """`outputs["reconstruction"]` against `batch["input"]`, both brought back to levels in 0..1: psnr and ssim.

    Where a model gives `nats` [n], its negative evidence lower bound, and `kl` [n], the divergence of its codes in
    that, their means over the pictures are metrics too.
    """

    def __init__(self, image: ImageInput) -> None:
        self.picture = Picture(image)
        self.sums = SplitSums()
        self.first: list[tuple[Tensor, Tensor]] = []

    @torch.no_grad()
    def update(self, outputs: Batch, batch: Batch) -> None:
        """Count one batch."""
        self.picture.to(batch["input"].device)
        reconstructed = self.picture.levels(outputs["reconstruction"].float()) / 255
        original = self.picture.levels(batch["input"].float()) / 255
        error = ((reconstructed - original) ** 2).double().sum()
        self.sums.add(pictures=len(original), values=original.numel(), squared_error=error)
        self.sums.add(ssim=structural_similarity(reconstructed, original).double().sum())
        self.sums.add(**{name: outputs[name].double().sum() for name in BOUNDS if name in outputs})
        for pair in zip(original.cpu(), reconstructed.cpu(), strict=True):
            if len(self.first) < KEPT:
                self.first.append(pair)

    def compute(self) -> dict[str, float]:
        """psnr in decibels over all pixels, ssim and nats as the mean over pictures; over all processes together."""
        error = self.sums.ratio("squared_error", "values")
        metrics = {"psnr": -10 * math.log10(error) if error else math.inf}
        names = ("ssim", *(name for name in BOUNDS if name in self.sums))
        return {**metrics, **{name: self.sums.ratio(name, "pictures") for name in names}}

    def pictures(self, folder: Path) -> list[Path]:
        """reconstructions.png: the first originals, each with its reconstruction."""
        tiles = [(pair * 255).round().to(torch.uint8).permute(1, 2, 0).numpy() for both in self.first for pair in both]
        titles = ["original", "reconstruction"] * len(self.first)
        return [save(wall(tiles, titles), folder / "reconstructions.png")] if tiles else []


def structural_similarity(first: Tensor, second: Tensor) -> Tensor:
    """SSIM of pairs of pictures, float [n, channels, h, w] in 0..1, with a Gaussian window (Wang et al. 2004): [n]."""
    offsets = torch.arange(WINDOW, dtype=first.dtype, device=first.device) - WINDOW // 2
    weights = torch.exp(-((offsets / SIGMA) ** 2) / 2)
    row = weights / weights.sum()
    channels = first.shape[1]
    window = torch.outer(row, row).expand(channels, 1, -1, -1)
    first, second = (F.pad(levels, [WINDOW // 2] * 4, mode="reflect") for levels in (first, second))
    products = torch.cat((first, second, first * first, second * second, first * second))
    means = F.conv2d(products, window, groups=channels).chunk(5)
    (mean, other), (square, other_square, product) = means[:2], means[2:]
    covariance = product - mean * other
    variances = (square - mean**2).clamp(min=0) + (other_square - other**2).clamp(min=0)
    luminance = (2 * mean * other + STABLE[0]) / (mean**2 + other**2 + STABLE[0])
    similarity = luminance * (2 * covariance + STABLE[1]) / (variances + STABLE[1])
    return similarity.flatten(1).mean(1)
