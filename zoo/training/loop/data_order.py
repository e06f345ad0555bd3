"""Which items each step sees, and its random seed: functions of the run's seed, the epoch and the step alone.

This makes a resume exact: no random state is stored, and the batches that are done are skipped without reading them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch

from zoo.api.errors import UsageError
from zoo.api.task import Dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the items of an epoch become batches; items at the end that do not fill a step are left out in this epoch."""

    dataset: Dataset
    batch_size: int
    """Over all processes."""
    accumulate: int
    seed: int
    ordered: bool = False
    """The dataset has an order of its own: `order(batch_size, generator)`."""
    limit: int | None = None
    """Use at most this many items, the same in every epoch."""
    weights: tuple[float, ...] = ()
    """How often each item is drawn, in proportion; empty where every item is shown once in an epoch."""
    rank: int = 0
    world: int = 1

    @property
    def items(self) -> int:
        """Items in an epoch."""
        return min(self.limit or len(self.dataset), len(self.dataset))

    @property
    def whole_batch(self) -> int:
        """Items of a batch over all processes."""
        return min(self.batch_size, self.items)

    @property
    def batches(self) -> int:
        """Batches in an epoch, a whole number of optimiser steps."""
        return max(1, self.items // (self.batch_size * self.accumulate)) * self.accumulate

    def check(self) -> None:
        """UsageError where there are too few items for one step."""
        needed = self.world if self.accumulate == 1 else self.batch_size * self.accumulate
        if self.items < needed:
            raise UsageError(
                f"{self.items} training items are too few for one step of {needed}", hint="lower --batch-size"
            )

    def epoch(self, epoch: int, *, skip: int = 0) -> list[list[int]]:
        """This process's share of every batch of an epoch, after the first `skip`."""
        order, size = self._order(epoch), self.batch_size
        return [
            order[batch * size : (batch + 1) * size][self.rank :: self.world] for batch in range(skip, self.batches)
        ]

    def _order(self, epoch: int) -> list[int]:
        generator = torch.Generator().manual_seed(mix_seed(self.seed, epoch, stream=1))
        if self.ordered:
            return list(cast("Any", self.dataset).order(self.batch_size, generator))[: self.items]
        chosen = self.chosen()
        if self.weights:
            shares = torch.tensor(self.weights, dtype=torch.float64)[chosen]
            return chosen[torch.multinomial(shares, self.items, replacement=True, generator=generator)].tolist()
        return chosen[torch.randperm(self.items, generator=generator)].tolist()

    def chosen(self) -> torch.Tensor:
        """The indices of the items of every epoch, int64 [items]."""
        if self.items == len(self.dataset):
            return torch.arange(self.items)
        return torch.randperm(len(self.dataset), generator=torch.Generator().manual_seed(self.seed))[: self.items]


def mix_seed(seed: int, number: int, *, stream: int = 0) -> int:
    """A 63-bit seed; the seeds of neighbouring numbers are independent (Steele et al., 2014: SplitMix64)."""
    mask = (1 << 64) - 1
    state = ((seed << 20) + stream) * 0x9E3779B97F4A7C15 + number * 0xBF58476D1CE4E5B9 & mask
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & mask
    state = (state ^ state >> 27) * 0x94D049BB133111EB & mask
    return (state ^ state >> 31) >> 1
