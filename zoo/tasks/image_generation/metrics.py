"""How near made pictures come to real ones, as a whole.  [torch]"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.api.problem import ImageInput
from zoo.data.image.postprocess import Picture
from zoo.data.split_sums import SplitSums
from zoo.runs.atomic import write_bytes
from zoo.tasks.image_generation.device import picture as grid
from zoo.tasks.image_generation.features import SIDE, WIDTHS, Floats, normal_distance, random_kernels

if TYPE_CHECKING:
    from zoo.api.task import Batch

SHOWN: Final = 64


class RandomFeatures(nn.Module):
    """Features of an untrained convolutional network: He initialisation from a fixed seed, the same everywhere.

    Random filters tell edges and textures apart for any kind of picture and need no download (Naeem et al. 2020
    measure generators with them).  They know nothing of what a picture shows, and distances in them cannot be
    compared with distances in other features.
    """

    num_features = 2 * WIDTHS[-1]

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.kernels = [torch.from_numpy(kernel) for kernel in random_kernels(channels)]

    def forward(self, levels: Tensor) -> Tensor:
        """Pictures float32 [n, channels, h, w] in -1..1 -> [n, 256]: mean and deviation of every filter."""
        maps = F.interpolate(levels, (SIDE, SIDE), mode="area")
        for kernel in self.kernels:
            maps = F.relu(F.conv2d(maps, kernel.to(maps.device), stride=2, padding=1))
        return torch.cat([maps.mean((2, 3)), maps.std((2, 3))], dim=1)


class GenerationMetrics:
    """`outputs["image"]` against `batch["input"]`: frechet_random, the Fréchet distance (Heusel et al. 2017) between
    random features of generated and of real pictures; lower is better."""

    def __init__(self, image: ImageInput) -> None:
        self.picture = Picture(image)
        self.features = RandomFeatures(image.channels)
        self.moments = {"real": SplitSums(), "generated": SplitSums()}
        self.samples: list[Tensor] = []

    @torch.no_grad()
    def update(self, outputs: Batch, batch: Batch) -> None:
        """Count one batch."""
        self.picture.to(batch["input"].device)
        generated = self.picture.levels(outputs["image"].float()).round()
        real = self.picture.levels(batch["input"].float()).round()
        for name, levels in (("real", real), ("generated", generated)):
            features = self.features(levels / 127.5 - 1).double()
            self.moments[name].add(pictures=len(features), sum=features.sum(0), products=features.T @ features)
        room = SHOWN - sum(len(batch) for batch in self.samples)
        if room > 0:
            self.samples.append(generated[:room].to(torch.uint8).cpu())

    def compute(self) -> dict[str, float]:
        """frechet_random, over all processes together."""
        (real, real_covariance), (generated, covariance) = (_moments(sums) for sums in self.moments.values())
        return {"frechet_random": normal_distance(real - generated, real_covariance, covariance)}

    def pictures(self, folder: Path) -> list[Path]:
        """samples.png: the first 64."""
        return [self.epoch_picture(folder / "samples.png")] if self.samples else []

    def epoch_picture(self, path: Path) -> Path:
        """The same file during training: the samples of the first 64 latents."""
        samples = torch.cat(self.samples).permute(0, 2, 3, 1).numpy()
        memory = BytesIO()
        grid({"images": samples}).save(memory, format="png")
        write_bytes(path, memory.getvalue())
        return path


def _moments(sums: SplitSums) -> tuple[Floats, Floats]:
    """Mean [d] and covariance [d, d] of features."""
    pictures, total, products = (sums.total(name).numpy() for name in ("pictures", "sum", "products"))
    mean = total / pictures
    return mean, (products - pictures * np.outer(mean, mean)) / (pictures - 1)
