"""Variational autoencoders (Kingma and Welling: Auto-encoding variational Bayes, 2014).

The encoder gives a normal distribution of codes for a picture, the decoder a Bernoulli distribution of pixels for a
code.  Pictures are levels in 0..1.  Randomness is an input: code = mean + deviation x noise, and noise of zeros
gives the mean, so that the same module is trained, exported and proved.
"""

from __future__ import annotations

from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn

HIDDEN = (256, 128)
"""Widths of the hidden layers of `vae`, from the picture to the code; its decoder has them in reverse order."""
LARGE_HIDDEN = (512, 256)
MAPS = (32, 64)


class Encoder(nn.Module):
    """Pictures to the mean and the log-variance of their codes."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """float32 [batch, channels, height, width] in 0..1 -> twice float32 [batch, latent_size]."""
        mean, log_variance = self.layers(images).chunk(2, dim=1)
        return mean, log_variance


class Decoder(nn.Module):
    """Codes to the logits of every pixel."""

    def __init__(self, layers: nn.Module, *, image_size: tuple[int, int]) -> None:
        super().__init__()
        self.layers = layers
        self.image_size = image_size

    def forward(self, latent: Tensor) -> Tensor:
        """float32 [batch, latent_size] -> float32 [batch, channels, height, width], before the sigmoid."""
        height, width = self.image_size
        logits: Tensor = self.layers(latent)
        return logits[..., :height, :width]


class VariationalAutoencoder(nn.Module):
    """An encoder and a decoder with noise between them."""

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the pixels, mean and log-variance of the codes.

        images: float32 [batch, channels, height, width] in 0..1; noise: float32 [batch, latent_size], unit normal.
        """
        mean, log_variance = self.encoder(images)
        code = mean + torch.exp(0.5 * log_variance) * noise
        return self.decoder(code), mean, log_variance


def dense_encoder(
    *, latent_size: int, channels: int, image_size: tuple[int, int], hidden: tuple[int, ...] = HIDDEN
) -> Encoder:
    """Fully connected, with hidden layers of these widths."""
    layers = _dense((channels * prod(image_size), *hidden, 2 * latent_size))
    return Encoder(nn.Sequential(nn.Flatten(), *layers))


def dense_decoder(
    *, latent_size: int, channels: int, image_size: tuple[int, int], hidden: tuple[int, ...] = HIDDEN
) -> Decoder:
    """The mirror image of `dense_encoder`."""
    layers = _dense((latent_size, *hidden[::-1], channels * prod(image_size)))
    shape = nn.Unflatten(1, (channels, *image_size))
    return Decoder(nn.Sequential(*layers, shape), image_size=image_size)


def conv_encoder(*, latent_size: int, channels: int, image_size: tuple[int, int]) -> Encoder:
    """Strided convolutions with 32 and 64 maps, then the two heads as one layer."""
    layers: list[nn.Module] = []
    for inside, outside in pairwise((channels, *MAPS)):
        layers += [nn.Conv2d(inside, outside, 3, stride=2, padding=1), nn.ReLU()]
    return Encoder(nn.Sequential(*layers, nn.Flatten(), nn.Linear(MAPS[-1] * prod(_grid(image_size)), 2 * latent_size)))


def conv_decoder(*, latent_size: int, channels: int, image_size: tuple[int, int]) -> Decoder:
    """A dense layer to 64 small maps, then transposed convolutions."""
    grid = _grid(image_size)
    layers: list[nn.Module] = [nn.Linear(latent_size, MAPS[-1] * prod(grid)), nn.ReLU()]
    layers.append(nn.Unflatten(1, (MAPS[-1], *grid)))
    for inside, outside in pairwise((*MAPS[::-1], channels)):
        layers += [nn.ConvTranspose2d(inside, outside, 4, stride=2, padding=1), nn.ReLU()]
    return Decoder(nn.Sequential(*layers[:-1]), image_size=image_size)


def vae(*, latent_size: int, channels: int, image_size: tuple[int, int]) -> VariationalAutoencoder:
    """Fully connected, hidden layers of 256 and 128."""
    return _dense_vae(HIDDEN, latent_size=latent_size, channels=channels, image_size=image_size)


def vae_large(*, latent_size: int, channels: int, image_size: tuple[int, int]) -> VariationalAutoencoder:
    """Fully connected, hidden layers of 512 and 256."""
    return _dense_vae(LARGE_HIDDEN, latent_size=latent_size, channels=channels, image_size=image_size)


def conv_vae(*, latent_size: int, channels: int, image_size: tuple[int, int]) -> VariationalAutoencoder:
    """Strided convolutions with 32 and 64 maps."""
    encoder = conv_encoder(latent_size=latent_size, channels=channels, image_size=image_size)
    decoder = conv_decoder(latent_size=latent_size, channels=channels, image_size=image_size)
    return VariationalAutoencoder(encoder, decoder)


def _dense_vae(
    hidden: tuple[int, ...], *, latent_size: int, channels: int, image_size: tuple[int, int]
) -> VariationalAutoencoder:
    encoder = dense_encoder(latent_size=latent_size, channels=channels, image_size=image_size, hidden=hidden)
    decoder = dense_decoder(latent_size=latent_size, channels=channels, image_size=image_size, hidden=hidden)
    return VariationalAutoencoder(encoder, decoder)


def _dense(widths: tuple[int, ...]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for inside, outside in pairwise(widths):
        layers += [nn.Linear(inside, outside), nn.ReLU()]
    return layers[:-1]


def _grid(image_size: tuple[int, int]) -> tuple[int, ...]:
    """Height and width after the strided convolutions."""
    step = 2 ** len(MAPS)
    return tuple(-(-side // step) for side in image_size)
