"""A few items of the data a task embeds: enough to learn from for a second, the same ones every time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from zoo.api.data import DataCard, DataSource, Split
from zoo.api.parts import Task, TaskData, TaskTensors
from zoo.api.problem import Input, Problem
from zoo.api.task import Progress
from zoo.registry.catalog import Catalog


def sample(task: Task, card: DataCard, problem: Problem, split: Split, count: int) -> DataCard:
    """The card with the first items of one split: as many as make a dataset of at least so many entries.

    An entry need not be an item: a language model learns from chunks, of which one text may hold a thousand.
    """
    items = card.splits[split]
    few = count if len(task.tensors.dataset(_of(card, split, items[:count]), split, problem)) == count else 1
    while few < len(items) and len(task.tensors.dataset(_of(card, split, items[:few]), split, problem)) < count:
        few *= 2
    return _of(card, split, items[:few])


def _of(card: DataCard, split: Split, items: Any) -> DataCard:
    return replace(card, splits={**card.splits, split: items})


class SampledData:
    """Data of which a card was checked before; everything else is the task's own."""

    def __init__(self, data: TaskData, card: DataCard) -> None:
        self._data = data
        self._card = card

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:  # noqa: ARG002  it was checked before
        """The card as it was checked."""
        return self._card

    def problem(self, task: str, card: DataCard, input: Input) -> Problem:  # noqa: ARG002  the facts are those of all items
        """The facts of the whole data."""
        return self._data.problem(task, self._card, input)


class SampledTensors:
    """Datasets of a few items; everything else is the task's own."""

    def __init__(self, task: Task, card: DataCard, counts: Mapping[Split, int]) -> None:
        self._task = task
        self._card = card
        self._counts = counts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task.tensors, name)

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Any:  # noqa: ARG002  the card is its own
        """A split of the few items."""
        few = sample(self._task, self._card, problem, split, self._counts[split])
        return self._task.tensors.dataset(few, split, problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledCatalog(Catalog):
    """A catalogue whose tasks have little data, so that the real training can be watched within seconds."""

    card: DataCard
    counts: Mapping[Split, int]

    def make_task(self, name: str) -> Task:
        """The task, with a few items."""
        task = Catalog.make_task(self, name)
        return replace(
            task,
            make_data=lambda: cast("TaskData", SampledData(task.data, self.card)),
            make_tensors=lambda: cast("TaskTensors", SampledTensors(task, self.card, self.counts)),
        )
