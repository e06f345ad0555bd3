"""Tasks with only a few items of their data, always the same ones, so that a training takes seconds."""

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
    """The card with the first items of one split, as many as a dataset of at least `count` entries needs.

    An entry need not be an item: a language model learns from chunks, and one text may hold a thousand chunks.
    """
    items = card.splits[split]
    taken = count if len(task.tensors.dataset(_of(card, split, items[:count]), split, problem)) == count else 1
    while taken < len(items) and len(task.tensors.dataset(_of(card, split, items[:taken]), split, problem)) < count:
        taken *= 2
    return _of(card, split, items[:taken])


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

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Any:  # noqa: ARG002  its own card
        """A split with a few items."""
        few = sample(self._task, self._card, problem, split, self._counts[split])
        return self._task.tensors.dataset(few, split, problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledCatalog(Catalog):
    """A catalogue whose tasks have only a few items of data."""

    card: DataCard
    counts: Mapping[Split, int]

    def make_task(self, name: str) -> Task:
        """The task with a few items of data."""
        task = Catalog.make_task(self, name)
        return replace(
            task,
            make_data=lambda: cast("TaskData", SampledData(task.data, self.card)),
            make_tensors=lambda: cast("TaskTensors", SampledTensors(task, self.card, self.counts)),
        )
