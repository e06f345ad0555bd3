"""Real pictures for training and evaluation, with latents.  [torch]"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from zoo.data.image.dataset import PictureDataset

if TYPE_CHECKING:
    from zoo.api.task import Batch


@dataclass(frozen=True, slots=True)
class GenerationDataset:
    """A split of pictures; every batch has as many latents, drawn from a seed that is its first index."""

    pictures: PictureDataset
    latent_size: int

    def __len__(self) -> int:
        return len(self.pictures)

    def batch(self, indices: Sequence[int]) -> Batch:
        """image uint8 [n, channels, h, w], latent float32 [n, latent_size], index int64 [n]."""
        generator = torch.Generator().manual_seed(int(indices[0]))
        latent = torch.randn((len(indices), self.latent_size), generator=generator)
        return {**self.pictures.batch(indices), "latent": latent}

    def ready(self, batch: Batch) -> Batch:
        """The batch with `input`: its pictures as the model should make them, float32 [n, channels, h, w]."""
        return self.pictures.ready(batch)
