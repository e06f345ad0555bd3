"""A few items of the data a task embeds: enough to learn from for a second, the same ones every time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from zoo.catalog import Catalog
from zoo.data_card import DataCard, DataSource, Split
from zoo.problem import Input, Problem
from zoo.task import Progress, Task


def sample(task: Task, card: DataCard, problem: Problem, counts: Mapping[Split, int]) -> DataCard:
    """The card with the first items of each split: as many as make a dataset of at least so many entries.

    An entry need not be an item: a language model learns from chunks that hold several texts.
    """
    splits = {split: items for split, items in card.splits.items() if split in counts and len(items)}
    for split, items in splits.items():
        few = counts[split]
        while few < len(items) and len(_opened(task, card, problem, split, items[:few])) < counts[split]:
            few *= 2
        splits[split] = items[:few]
    return replace(card, splits=splits, notes=())


def _opened(task: Task, card: DataCard, problem: Problem, split: Split, items: Any) -> Any:
    return task.dataset(replace(card, splits={**card.splits, split: items}), split, problem)


class SampledTask:
    """A task whose data are a few items of a card that was checked before; everything else is the task's own."""

    def __init__(self, task: Task, card: DataCard, counts: Mapping[Split, int]) -> None:
        self._task = task
        self._card = card
        self._counts = counts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:  # noqa: ARG002  it was checked before
        """The card as it was checked."""
        return self._card

    def problem(self, card: DataCard, input: Input) -> Problem:  # noqa: ARG002  the facts are those of all items
        """The facts of the whole data."""
        return self._task.problem(self._card, input)

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Any:
        """A split of the few items."""
        return self._task.dataset(sample(self._task, card, problem, self._counts), split, problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledCatalog(Catalog):
    """A catalogue whose tasks have little data, so that the real training can be watched within seconds."""

    card: DataCard
    counts: Mapping[Split, int]

    def make_task(self, name: str) -> Task:
        """The task, with a few items."""
        task = Catalog.make_task(self, name)
        return cast("Task", SampledTask(task, self.card, self.counts))
