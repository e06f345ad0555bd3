"""DCGAN: a generator and a discriminator of strided convolutions (Radford, Metz and Chintala: Unsupervised
representation learning with deep convolutional generative adversarial networks, 2016).

As in the paper: no pooling and no hidden dense layers, batch norm everywhere but at the generator's output and the
discriminator's input, ReLU going up and LeakyReLU going down, tanh at the end, weights drawn with a deviation of
0.02.  Kernels are 4 instead of 5 wide, so that every stride-2 step covers its output evenly (Odena et al. 2016).
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

MIN_START_SIDE = 4
"""Pixels.  The smallest side of the first maps, as in the paper."""


def stages(image_size: tuple[int, int]) -> int:
    """How often the side is doubled: from at least 4 pixels up to the picture."""
    doublings = 0
    while -(-min(image_size) // 2 ** (doublings + 1)) >= MIN_START_SIDE:
        doublings += 1
    return max(doublings, 1)


def maps(image_size: tuple[int, int], width: int) -> tuple[int, ...]:
    """Maps of every stage, from the coarsest to the finest: each half of the one before, `width` at last."""
    return tuple(width * 2**stage for stage in reversed(range(stages(image_size))))


class Generator(nn.Module):
    """Latent numbers to pictures in -1..1."""

    def __init__(self, *, latent_size: int, channels: int, image_size: tuple[int, int], width: int) -> None:
        super().__init__()
        self.image_size = image_size
        self.width = width
        widths = maps(image_size, width)
        step = 2 ** len(widths)
        grid = (-(-image_size[0] // step), -(-image_size[1] // step))
        self.seed = nn.Sequential(
            nn.Unflatten(1, (latent_size, 1, 1)),
            nn.ConvTranspose2d(latent_size, widths[0], grid, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        )
        up: list[nn.Module] = []
        for inside, outside in pairwise(widths):
            up += [
                nn.ConvTranspose2d(inside, outside, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(outside),
                nn.ReLU(),
            ]
        self.up = nn.Sequential(*up, nn.ConvTranspose2d(widths[-1], channels, 4, stride=2, padding=1), nn.Tanh())
        self.apply(_draw)

    def forward(self, latent: Tensor) -> Tensor:
        """float32 [batch, latent_size] -> float32 [batch, channels, height, width] in -1..1."""
        height, width = self.image_size
        pictures: Tensor = self.up(self.seed(latent))
        return pictures[..., :height, :width]


class Discriminator(nn.Module):
    """Pictures in -1..1 to one logit each: above zero for what looks real."""

    def __init__(self, *, channels: int, image_size: tuple[int, int], width: int) -> None:
        super().__init__()
        widths = maps(image_size, width)[::-1]
        down: list[nn.Module] = [nn.Conv2d(channels, widths[0], 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for inside, outside in pairwise(widths):
            down += [
                nn.Conv2d(inside, outside, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(outside),
                nn.LeakyReLU(0.2),
            ]
        grid = (image_size[0] >> len(widths), image_size[1] >> len(widths))
        self.layers = nn.Sequential(*down, nn.Conv2d(widths[-1], 1, grid), nn.Flatten(0))
        self.apply(_draw)

    def forward(self, pictures: Tensor) -> Tensor:
        """float32 [batch, channels, height, width] -> float32 [batch]."""
        logits: Tensor = self.layers(pictures)
        return logits


def _draw(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


def dcgan(*, latent_size: int, channels: int, image_size: tuple[int, int]) -> Generator:
    """The tiny one: 96, 48 and 24 maps for 28 x 28 pixels."""
    return Generator(latent_size=latent_size, channels=channels, image_size=image_size, width=24)


def dcgan_64(*, latent_size: int, channels: int, image_size: tuple[int, int]) -> Generator:
    """The published one: 1024, 512, 256 and 128 maps for 64 x 64 pixels."""
    return Generator(latent_size=latent_size, channels=channels, image_size=image_size, width=128)
