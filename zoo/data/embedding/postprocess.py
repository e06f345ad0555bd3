"""Postprocessing of embeddings in pipeline.onnx: division by the L2 norm.  [torch]"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.data.embedding.steps import MIN_LENGTH


class UnitLength(nn.Module):
    """A raw embedding float32 [1, d] to a unit vector float32 [d]."""

    def forward(self, embedding: Tensor) -> Tensor:
        """[1, d] -> [d], of length one."""
        return unit_length(embedding).squeeze(0)


def unit_length(embeddings: Tensor) -> Tensor:
    """Rows [n, d] divided by their L2 norm."""
    lengths: Tensor = torch.linalg.vector_norm(embeddings, dim=1, keepdim=True)
    return embeddings / lengths.clamp_min(MIN_LENGTH)
