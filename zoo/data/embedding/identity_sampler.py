"""PK batches: several items of each of a few labels, for losses that compare embeddings.  [torch]"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch

MIN_IDENTITIES: Final = 2
"""Identities in a batch: with one alone there is nothing to tell apart."""


class IdentitySampler:
    """Items drawn without replacement; shuffled again when too few are left."""

    def __init__(self, items: Sequence[int], generator: torch.Generator) -> None:
        self._items = items
        self._generator = generator
        self._left: list[int] = []

    def draw(self, count: int) -> list[int]:
        """`count` items, all different where there are enough."""
        drawn: list[int] = []
        while len(drawn) < count:
            wanted = min(count - len(drawn), len(self._items))
            if len(self._left) < wanted:
                order = torch.randperm(len(self._items), generator=self._generator).tolist()
                self._left = [self._items[index] for index in order]
            drawn += self._left[:wanted]
            del self._left[:wanted]
        return drawn


def pk_order(
    groups: Sequence[Sequence[int]], batch_size: int, per_identity: int, *, batches: int, generator: torch.Generator
) -> list[int]:
    """The indices of `batches` batches; a batch has `per_identity` items of each of its identities, side by side.

    With fewer identities than a batch has room for, each gives more; sizes that do not divide are spread evenly.
    """
    count = min(max(MIN_IDENTITIES, batch_size // max(per_identity, 1)), len(groups))
    sizes = [batch_size // count + (number < batch_size % count) for number in range(count)]
    identities = IdentitySampler(range(len(groups)), generator)
    samplers = [IdentitySampler(group, generator) for group in groups]
    order: list[int] = []
    for _ in range(batches):
        for identity, size in zip(identities.draw(count), sizes, strict=True):
            order += samplers[identity].draw(size)
    return order
