"""What the checks of one plugin share: catalogue, data, built models and overfit tests, each made once."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from zoo.api.data import DataCard, DataRequest, Split
from zoo.api.problem import Problem
from zoo.api.specs import ModelSpec
from zoo.api.task import Case, Purpose
from zoo.bundle.runtime.manifest import LineageRecord, PluginRecord
from zoo.registry.catalog import Catalog
from zoo.registry.loader import Plugin
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.scratch import ScratchFolder
from zoo.testing.few_items import SampledCatalog
from zoo.testing.score import NotApplicable

if TYPE_CHECKING:
    from torch import nn

    from zoo_export.subject.subject import Subject

T = TypeVar("T")
MAX_CASES = 12
"""The number of inputs that a model is called with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """One model, built for a problem, in eval mode."""

    model: nn.Module
    subject: Subject
    """What would be exported: the model, or what its adapter makes of it, with its signature."""
    cases: tuple[Case, ...]
    """Preprocessed inputs of the kind that the model was made for."""

    @property
    def problem(self) -> Problem:
        """The problem that the model was built for."""
        return self.subject.problem


class CheckContext:
    """What the checks of one plugin share; its temporary files are deleted with it."""

    def __init__(self, catalog: Catalog, plugin: Plugin, *, data: str | None = None) -> None:
        self.catalog = catalog
        self.plugin = plugin
        self._data = data
        self._cache: dict[str, Any] = {}
        self._owner = ""

    @cached_property
    def _temporary(self) -> ScratchFolder:
        scratch = ScratchFolder.make()
        weakref.finalize(self, scratch.remove)
        return scratch

    def folder(self, name: str) -> Path:
        """The path of a new folder, which is not made yet."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._temporary.path)) / name

    def once(self, entry: RegistryEntry[Any], key: str, make: Callable[[], T]) -> T:
        """The value of `make()`, computed once for each subject; the values of the subject before are dropped."""
        if self._owner != entry.full_name:
            self._cache.clear()
            self._owner = entry.full_name
        if key not in self._cache:
            self._cache[key] = make()
        return cast("T", self._cache[key])

    # --- data ---

    def source(self, entry: RegistryEntry[ModelSpec]) -> str:
        """The data source for a model; NotApplicable where its task has no embedded data and none was given."""
        task = self.catalog.task(entry.spec.task)
        source = self._data or task.spec.default_data
        if not source:
            raise NotApplicable(
                f"the task {task.full_name} has no embedded data",
                next_step=f"name a source: zoo plugins check {self.plugin.name} --data SOURCE",
            )
        return source

    def card(self, entry: RegistryEntry[ModelSpec]) -> DataCard:
        """The card of the data for a model, checked once."""
        source, task = self.source(entry), self.catalog.task(entry.spec.task).full_name
        if (task, source) not in self._cards:
            task_object = self.catalog.make_task(task)
            found = task_object.data.detect(DataRequest(source=source))
            self._cards[task, source] = task_object.data.check(found, progress=_no_progress)
        return self._cards[task, source]

    @cached_property
    def _cards(self) -> dict[tuple[str, str], DataCard]:
        return {}

    def sampled(self, entry: RegistryEntry[ModelSpec], counts: Mapping[Split, int]) -> SampledCatalog:
        """The catalogue with only so many items of the data in each split."""
        return SampledCatalog(
            plugins=self.catalog.plugins, prefer=self.catalog.prefer, card=self.card(entry), counts=counts
        )

    # --- models ---

    def problem(self, entry: RegistryEntry[ModelSpec]) -> Problem:
        """The problem of the model: from its published weights, else from the data of its task."""
        from zoo.models.build import default_problem  # noqa: PLC0415  torch; checking a declaration needs none

        if self._data is None:
            return self.once(entry, "problem", lambda: default_problem(self.catalog, entry))
        return self.catalog.make_task(entry.spec.task).problem(self.card(entry), entry.spec.input)

    def built(self, entry: RegistryEntry[ModelSpec]) -> Built:
        """The model built for its own problem with seed 0, with inputs to call it with."""
        return self.once(entry, "built", lambda: self.build(entry, self.problem(entry)))

    def build(self, entry: RegistryEntry[ModelSpec], problem: Problem, *, seed: int = 0) -> Built:
        """The model built for a given problem."""
        from zoo.models.adapter import adapted  # noqa: PLC0415
        from zoo.models.build import build  # noqa: PLC0415  torch
        from zoo_export.subject.subject import Subject  # noqa: PLC0415

        model = build(self.catalog, entry, problem, seed=seed).eval()
        subject = Subject(
            model=entry.full_name,
            module=adapted(model, self.catalog, entry, problem),
            task=self.catalog.make_task(entry.spec.task),
            problem=problem,
            plugin=PluginRecord(
                name=entry.plugin.name, distribution=entry.plugin.distribution, version=entry.plugin.version
            ),
            lineage=LineageRecord(weights=f"seed {seed}", weights_sha256="", target=""),
            trained=False,
            export=replace(entry.spec.export, not_exportable=""),
        )
        return Built(model=model, subject=subject, cases=_cases(subject))


def _cases(subject: Subject) -> tuple[Case, ...]:
    from zoo_export.subject.choose_cases import under_own_names  # noqa: PLC0415  torch
    from zoo_export.subject.rollout import with_initial_state  # noqa: PLC0415

    cases = subject.task.answers.cases(None, subject.problem, Purpose.MODEL, limit=MAX_CASES)
    return with_initial_state([under_own_names(case, subject) for case in cases if case.gates], subject.signature)


def _no_progress(done: int, total: int) -> None:
    """Progress that is not shown."""
