"""The exported modules of the variational autoencoders: pictures in 0..1 instead of logits, without what only training
needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from zoo import ImageInput, LatentInput, Problem
from zoo_autoencoder.variational import Decoder, VariationalAutoencoder

DECODER_PREFIX = "decoder."


class Reconstructing(nn.Module):
    """A picture and noise to its reconstruction."""

    def __init__(self, model: VariationalAutoencoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, noise: Tensor) -> Tensor:
        """float32 [batch, channels, height, width] in 0..1 and [batch, latent_size] -> the shape of the pictures."""
        logits, _, _ = self.model(images, noise)
        return torch.sigmoid(logits)


class Generating(nn.Module):
    """A latent to a picture."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, latent: Tensor) -> Tensor:
        """float32 [batch, latent_size] -> float32 [batch, channels, height, width] in 0..1."""
        return torch.sigmoid(self.decoder(latent))


def reconstructing(model: VariationalAutoencoder, problem: Problem) -> Reconstructing:  # noqa: ARG001  every adapter's
    """The exported module of `vae`."""
    return Reconstructing(model)


def generating(decoder: Decoder, problem: Problem) -> Generating:  # noqa: ARG001  every adapter's
    """The exported module of `vae_decoder`."""
    return Generating(decoder)


def decoder_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The decoder's part of the state_dict of a `vae`, under the decoder's own names."""
    return {
        name.removeprefix(DECODER_PREFIX): tensor for name, tensor in state.items() if name.startswith(DECODER_PREFIX)
    }


def decoder_of(state: Mapping[str, Tensor], problem: Problem) -> tuple[dict[str, Tensor], Problem]:
    """The decoder of a trained `vae`: its state_dict and its problem."""
    image = problem.image
    picture: ImageInput = replace(image, noise=0)
    return decoder_state(state), Problem(task="image-generation", input=LatentInput(size=image.noise, picture=picture))
