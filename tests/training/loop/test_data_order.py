"""Which items each step sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from tests.training.toy import Points
from zoo.api.errors import UsageError
from zoo.training.loop.data_order import Plan, mix_seed

DATA = Points(103, seed=0)


def plan(**changes: Any) -> Plan:
    """Ten batches of ten, and three items that wait."""
    return Plan(**{"dataset": DATA, "batch_size": 10, "accumulate": 1, "seed": 3, **changes})


def test_an_epoch_shows_every_item_at_most_once_and_the_next_in_another_order() -> None:
    first, second = ([item for batch in plan().epoch(epoch) for item in batch] for epoch in (0, 1))
    assert len(set(first)) == len(first) == 100
    assert first != second and first == [item for batch in plan().epoch(0) for item in batch]


def test_skipping_is_not_asking() -> None:
    assert plan().epoch(2, skip=7) == plan().epoch(2)[7:]
    assert plan().epoch(2, skip=10) == []


def test_processes_share_each_batch() -> None:
    whole = plan().epoch(0)
    shares = [plan(rank=rank, world=2).epoch(0) for rank in (0, 1)]
    assert [sorted(one + two) for one, two in zip(*shares, strict=True)] == [sorted(batch) for batch in whole]
    assert {len(batch) for share in shares for batch in share} == {5}


def test_an_epoch_is_a_whole_number_of_optimiser_steps() -> None:
    assert (plan().batches, plan(accumulate=4).batches, plan(batch_size=200).batches) == (10, 8, 1)
    assert len(plan(batch_size=200).epoch(0)[0]) == 103


def test_a_limit_keeps_the_same_items_in_every_epoch() -> None:
    limited = plan(limit=20)
    first, second = (sorted(item for batch in limited.epoch(epoch) for item in batch) for epoch in (0, 1))
    assert first == second and len(first) == 20 and first != list(range(20))


def test_too_few_items_are_refused() -> None:
    with pytest.raises(UsageError, match="103 training items are too few for one step of 120"):
        plan(batch_size=60, accumulate=2).check()
    plan(batch_size=200).check()


class Book(Points):
    """A dataset with an order of its own."""

    def order(self, batch_size: int, generator: torch.Generator) -> Sequence[int]:  # noqa: ARG002
        return list(range(0, len(self), 2))


def test_a_dataset_may_order_itself() -> None:
    assert plan(dataset=Book(20, seed=0), ordered=True, batch_size=5).epoch(0)[0] == [0, 2, 4, 6, 8]


def test_mixed_seeds_differ_in_every_argument() -> None:
    seeds = {mix_seed(seed, number, stream=stream) for seed in range(20) for number in range(20) for stream in range(3)}
    assert len(seeds) == 1200 and all(0 <= seed < 2**63 for seed in seeds)
