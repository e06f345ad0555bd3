"""Embeddings of a whole split, over all processes, in the order of their items.  [torch]"""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.data.split_sums import joined_processes


class Gathered:
    """Every embedding with the index of its item."""

    def __init__(self) -> None:
        self._index: list[Tensor] = []
        self._embedding: list[Tensor] = []

    def add(self, index: Tensor, embedding: Tensor) -> None:
        """int64 [n] and float [n, d]."""
        self._index.append(index.cpu())
        self._embedding.append(embedding.detach().float().cpu())

    def joined(self) -> Tensor:
        """Embeddings float32 [items, d] of all processes, in the order of their indices."""
        index, embedding = (joined_processes(torch.cat(part)) for part in (self._index, self._embedding))
        ordered = embedding.new_zeros(int(index.max()) + 1, embedding.shape[1])
        ordered[index] = embedding
        return ordered
