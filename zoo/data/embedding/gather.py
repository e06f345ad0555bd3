"""Embeddings of a whole split, over all processes, in the order of their items.  [torch]"""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric


class Gathered(Metric):
    """Every embedding with the index of its item, over all processes."""

    full_state_update = False
    index: list[Tensor]
    embedding: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.add_state("index", default=[], dist_reduce_fx="cat")
        self.add_state("embedding", default=[], dist_reduce_fx="cat")

    def update(self, index: Tensor, embedding: Tensor) -> None:
        """int64 [n] and float [n, d]."""
        self.index.append(index)
        self.embedding.append(embedding.float())

    def compute(self) -> Tensor:
        """Embeddings float32 [items, d] in the order of their indices."""
        index, embedding = (
            torch.cat(part) if isinstance(part, list) else part for part in (self.index, self.embedding)
        )
        ordered = embedding.new_zeros(int(index.max()) + 1, embedding.shape[1])
        ordered[index] = embedding
        return ordered
