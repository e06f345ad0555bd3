"""Batches of a few labels with several items of each, which is what embeddings learn from.  [torch]"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch

FEWEST: Final = 2
"""Identities in a batch: without a second there is nothing to tell apart."""


class IdentitySampler:
    """Things drawn without putting back; shuffled anew when too few are left."""

    def __init__(self, things: Sequence[int], generator: torch.Generator) -> None:
        self._things = things
        self._generator = generator
        self._left: list[int] = []

    def draw(self, count: int) -> list[int]:
        """So many, all different where there are enough."""
        drawn: list[int] = []
        while len(drawn) < count:
            wanted = min(count - len(drawn), len(self._things))
            if len(self._left) < wanted:
                order = torch.randperm(len(self._things), generator=self._generator).tolist()
                self._left = [self._things[place] for place in order]
            drawn += self._left[:wanted]
            del self._left[:wanted]
        return drawn


def pk_order(
    groups: Sequence[Sequence[int]], batch_size: int, per_identity: int, *, batches: int, generator: torch.Generator
) -> list[int]:
    """Indices of `batches` batches, each of `per_identity` items of every one of its identities, side by side.

    With fewer identities than a batch has room for, each gives more; sizes that do not divide are spread evenly.
    """
    count = min(max(FEWEST, batch_size // max(per_identity, 1)), len(groups))
    sizes = [batch_size // count + (number < batch_size % count) for number in range(count)]
    identities = IdentitySampler(range(len(groups)), generator)
    decks = [IdentitySampler(group, generator) for group in groups]
    order: list[int] = []
    for _ in range(batches):
        for identity, size in zip(identities.draw(count), sizes, strict=True):
            order += decks[identity].draw(size)
    return order
