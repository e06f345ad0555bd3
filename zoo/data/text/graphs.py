"""Preprocessing and postprocessing of pipelines on text.  [torch]"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.data.embedding.postprocess import unit_length


class AsGiven(nn.Module):
    """A passthrough: the outputs are the inputs."""

    def forward(self, *values: Tensor) -> tuple[Tensor, ...]:
        """The same tensors."""
        # views of their own: a graph's output must not be its input
        return tuple(value.view_as(value) for value in values)


class Probabilities(nn.Module):
    """Logits to probabilities."""

    def forward(self, logits: Tensor) -> Tensor:
        """logits [..., classes] -> the same shape, sums of one."""
        return torch.softmax(logits, dim=-1)


class UnitLengths(nn.Module):
    """Embeddings to unit length."""

    def forward(self, features: Tensor) -> Tensor:
        """features [n, d] -> the same shape, rows of length one."""
        return unit_length(features)
