"""Tasks of API 1, one object with every method, as the five parts that zoo works with.

The adapter asks the object for what its protocols offered and declares it as tags.  It is the only place that knows
API 1; a plugin that needs it is named once in a process.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from zoo.api.api_1 import (
    Calibrated,
    ChoosesRunner,
    Comparing,
    ReadsText,
    Responding,
    TaskApi1,
    TellsPostprocess,
    Unprompted,
)
from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.errors import UsageError, warn_deprecated
from zoo.api.parts import FileItem, Signatures, Task
from zoo.api.postprocess import CUSTOM_POSTPROCESS, PostprocessStep
from zoo.api.problem import Input, Problem
from zoo.api.recipe import Augment
from zoo.api.specs import TaskTags
from zoo.api.task import (
    Agreement,
    Batch,
    BoundaryCase,
    Case,
    Control,
    Dataset,
    Metrics,
    Port,
    Progress,
    Purpose,
    Shown,
)

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zoo.api.task import Arrays

PAGE: Final = "docs/moving-to-api-2.md"


def warn_api_1(plugin: str) -> None:
    """Say once in a process that a plugin, named by its title, declares a task of API 1."""
    message = f"the {plugin} declares a task of API 1 (TaskSpec(task=...))"
    warn_deprecated(f"{message}; it works, and {PAGE} says how to move to API 2", stacklevel=4)


def adapt_task(made: object) -> Task:
    """The task of five parts that an object of API 1 is."""
    task = cast("TaskApi1", made)
    return Task(
        name=task.name,
        monitor=task.monitor,
        tags=_tags(task),
        make_data=partial(_Data, task),
        make_tensors=partial(_Tensors, task),
        make_graphs=partial(_Graphs, task),
        make_answers=partial(_Answers, task),
        device=_device(task),
    )


def renamed_device(runner: str) -> str:
    """The reference that means the same today: zoo's own runners are called device."""
    return re.sub(r"^(zoo\.tasks\.\w+)\.runner\b", r"\1.device", runner)


def _device(task: TaskApi1) -> Callable[[Problem], str]:
    """The module that bundles carry, by problem."""
    if isinstance(task, ChoosesRunner):
        return lambda problem: renamed_device(task.runner_for(problem))
    return lambda _: renamed_device(task.runner)


def _tags(task: TaskApi1) -> TaskTags:
    return TaskTags(
        generative=isinstance(task, Responding),
        settings=task.settings if isinstance(task, Responding) else {},
        unconditional=isinstance(task, Unprompted),
        reads_text=isinstance(task, ReadsText),
        pairwise=isinstance(task, Comparing),
        has_threshold=isinstance(task, Calibrated),
        has_margin=None,
        epoch_figure=None,
        ordered=None,
        adjustable=None,
    )


@dataclass(frozen=True, slots=True)
class _Data:
    task: TaskApi1

    def detect(self, request: DataRequest) -> DataSource:
        return self.task.detect(request)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        return self.task.check(source, progress=progress)

    def problem(self, task: str, card: DataCard, input: Input) -> Problem:  # noqa: ARG002  it knows its name
        return self.task.problem(card, input)

    def read(self, path: Path, problem: Problem) -> Sequence[FileItem]:
        return (FileItem(inputs=self.task.read(path, problem)),)

    def read_text(self, text: str, problem: Problem) -> Arrays:
        return cast("ReadsText", self.task).read_text(text, problem)


@dataclass(frozen=True, slots=True)
class _Tensors:
    task: TaskApi1

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        return self.task.dataset(card, split, problem)

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:
        return self.task.augment(batch, augment, generator)

    def metrics(self, problem: Problem) -> Metrics:
        return self.task.metrics(problem)


@dataclass(frozen=True, slots=True)
class _Graphs:
    task: TaskApi1

    def signatures(self, problem: Problem) -> Signatures:
        try:
            model = self.task.model_signature(problem)
        except UsageError:  # so API 1 says that the adapter must declare it
            model = None
        return Signatures(model=model, pipeline=self.task.pipeline_signature(problem))

    def preprocess(self, problem: Problem) -> nn.Module:
        return self.task.prepare(problem)

    def postprocess(self, problem: Problem) -> nn.Module:
        return self.task.finish(problem)

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:
        return self.task.postprocess_steps(problem) if isinstance(self.task, TellsPostprocess) else CUSTOM_POSTPROCESS


@dataclass(frozen=True, slots=True)
class _Answers:
    task: TaskApi1

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        return self.task.cases(card, problem, purpose, limit=limit)

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],
    ) -> Agreement:
        return self.task.agreement(reference, candidate, cases=cases, noise=noise)

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:  # noqa: ARG002
        return self.task.agreement(answers, answers, cases=cases, noise={}).candidate_metrics

    def controls(self, problem: Problem) -> tuple[Control, ...]:
        return self.task.controls(problem)

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        return self.task.show(case, answer, problem, limit=limit)

    def generate(
        self,
        run: Callable[[Arrays], Arrays],
        inputs: Arrays,
        feedback: Mapping[str, str],
        problem: Problem,
        settings: Mapping[str, float],
    ) -> Arrays:
        return cast("Responding", self.task).respond(run, inputs, feedback, problem, settings)

    def prompts(self, problem: Problem) -> Sequence[str]:
        return cast("Unprompted", self.task).beginnings(problem)

    def compare(self, names: Sequence[str], answers: Sequence[Arrays], problem: Problem, *, limit: int = 5) -> Shown:
        return cast("Comparing", self.task).compare(names, answers, problem, limit=limit)

    def calibrate(self, problem: Problem, metrics: Mapping[str, float]) -> Problem:
        return cast("Calibrated", self.task).calibrated(problem, metrics)

    def boundary_cases(self, problem: Problem, outputs: Sequence[Port]) -> Sequence[BoundaryCase]:  # noqa: ARG002
        return ()  # API 1 knows none, and its tasks never have the tag
