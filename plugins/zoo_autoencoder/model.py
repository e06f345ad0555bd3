"""Two autoencoders that reconstruct a picture from a small code (Hinton and Salakhutdinov: Reducing the
dimensionality of data with neural networks, 2006).

Both give back values in the space of their input, without a squashing function, so that they suit any
normalisation.
"""

from __future__ import annotations

from itertools import pairwise
from math import prod

from torch import Tensor, nn


class DenseAutoencoder(nn.Module):
    """Fully connected layers down to a code and, mirrored, back to the picture."""

    def __init__(self, *, channels: int, image_size: tuple[int, int], hidden: tuple[int, ...], code: int) -> None:
        super().__init__()
        self.shape = (channels, *image_size)
        widths = (prod(self.shape), *hidden, code)
        self.encoder = nn.Sequential(nn.Flatten(), *_dense(widths))
        self.decoder = nn.Sequential(*_dense(widths[::-1]))

    def forward(self, images: Tensor) -> Tensor:
        """The reconstruction.  images: float32 [batch, channels, height, width] -> the same shape."""
        flat: Tensor = self.decoder(self.encoder(images))
        return flat.reshape(-1, *self.shape)


def _dense(widths: tuple[int, ...]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for inside, outside in pairwise(widths):
        layers += [nn.Linear(inside, outside), nn.ReLU(inplace=True)]
    return layers[:-1]


class ConvAutoencoder(nn.Module):
    """Strided convolutions down to a few small maps and, with upsampling, back to the picture."""

    def __init__(self, *, channels: int, image_size: tuple[int, int], maps: tuple[int, ...], code_maps: int) -> None:
        super().__init__()
        sizes = [image_size]
        for _ in maps:
            sizes.append((sizes[-1][0] // 2 + sizes[-1][0] % 2, sizes[-1][1] // 2 + sizes[-1][1] % 2))
        down: list[nn.Module] = []
        for inside, outside in pairwise((channels, *maps)):
            down += [nn.Conv2d(inside, outside, 3, stride=2, padding=1), nn.BatchNorm2d(outside), nn.ReLU(inplace=True)]
        up: list[nn.Module] = []
        for inside, outside, size in zip((code_maps, *maps[::-1]), maps[::-1], sizes[-2::-1], strict=False):
            up += [
                nn.Upsample(size=size, mode="nearest"),
                nn.Conv2d(inside, outside, 3, padding=1),
                nn.BatchNorm2d(outside),
                nn.ReLU(inplace=True),
            ]
        self.encoder = nn.Sequential(*down, nn.Conv2d(maps[-1], code_maps, 1))
        self.decoder = nn.Sequential(*up, nn.Conv2d(maps[0], channels, 3, padding=1))

    def forward(self, images: Tensor) -> Tensor:
        """The reconstruction.  images: float32 [batch, channels, height, width] -> the same shape."""
        reconstruction: Tensor = self.decoder(self.encoder(images))
        return reconstruction


def autoencoder(*, channels: int, image_size: tuple[int, int]) -> DenseAutoencoder:
    """Hidden layers of 256 and 64, a code of 32 numbers."""
    return DenseAutoencoder(channels=channels, image_size=image_size, hidden=(256, 64), code=32)


def conv_autoencoder(*, channels: int, image_size: tuple[int, int]) -> ConvAutoencoder:
    """Stages of 16, 32 and 64 maps, a code of 8 maps at an eighth of the size."""
    return ConvAutoencoder(channels=channels, image_size=image_size, maps=(16, 32, 64), code_maps=8)
