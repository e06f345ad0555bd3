"""From files to answers that people can read: reading, asking and showing, whoever does the answering."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from zoo.api.errors import BadFile, UsageError
from zoo.api.problem import Json, Problem
from zoo.api.task import Case, Shown, Signature, Task
from zoo.api.task_options import Comparing, ReadsText, Responding, Unprompted
from zoo.api.untrusted import one_line
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.manifest import read_manifest
from zoo.bundle.runtime.predict import bundle_pipeline
from zoo.models.target import BundleTarget, OnnxTarget, RunTarget, Target
from zoo.registry.catalog import Catalog
from zoo.runs.run import Run

if TYPE_CHECKING:
    from zoo.api.task import Arrays


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerer:
    """Something that answers one raw input at a time, with all that reading and showing need."""

    model: str
    """Full name."""
    task: Task
    problem: Problem
    answer: Callable[[Arrays], Arrays]
    """Inputs of pipeline.onnx by name to its outputs by name."""
    signature: Signature
    """Of that function, with the state that a sequence model carries from step to step."""
    notes: tuple[str, ...] = ()
    """Sentences for the user: checkpoints passed over, another version of the plugin."""

    def read(self, source: Path | str) -> Arrays:
        """A file, or a text given in words, as the inputs of one item; BadFile where it cannot be read."""
        if isinstance(source, str):
            assert isinstance(self.task, ReadsText), "only such tasks are given text"
            return self.task.read_text(source, self.problem)
        return self.task.read(source, self.problem)

    def meant(self, inputs: Sequence[Path | str]) -> Sequence[Path | str]:
        """The inputs; where there are none, what the task begins with then."""
        return inputs or (self.task.beginnings(self.problem) if isinstance(self.task, Unprompted) else ())

    def respond(self, inputs: Arrays, settings: Mapping[str, float] = MappingProxyType({})) -> Arrays:
        """The task's answer to one item, in one run or, where the task says so, in many."""
        fed = {**inputs, **self.signature.initial_state()}
        if isinstance(self.task, Responding):
            chosen = {**self.task.settings, **settings}
            return self.task.respond(self.answer, fed, self.signature.feedback, self.problem, chosen)
        return self.answer(fed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer for one file, or why the file cannot be read."""

    file: Path | str
    """A text given in words is itself."""
    shown: Shown | None = None
    unreadable: str = ""
    arrays: Arrays | None = None
    """The answer itself, kept where the task compares answers."""

    def record(self) -> dict[str, Json]:
        """The same for machines."""
        kind = "text" if isinstance(self.file, str) else "file"
        if self.shown is None:
            return {kind: str(self.file), "unreadable": self.unreadable}
        return {kind: str(self.file), **self.shown.record}


def task_of(target: Target, catalog: Catalog) -> Task:
    """The task of a run, a bundle, or a model's weights, without looking at any of them closely."""
    match target:
        case RunTarget():
            name = Run.open(target.path).data.problem.task
        case BundleTarget():
            name = read_manifest(target.path)[0].task
        case OnnxTarget():
            raise UsageError(
                f"{target.path} alone does not say how files are read and answers shown",
                hint="name the bundle that it belongs to",
            )
        case _:
            name = target.model.spec.task
    return catalog.make_task(name)


def chosen_settings(task: Task, given: Sequence[str]) -> dict[str, float]:
    """Settings of an answer from "name=value"; UsageError for a name that the task does not have, or no number."""
    known = task.settings if isinstance(task, Responding) else {}
    chosen = {}
    for one in given:
        name, _, value = one.partition("=")
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise UsageError(f"answers of the task {task.name} have no setting {name!r}", hint=has)
        try:
            chosen[name] = float(value)
        except ValueError:
            raise UsageError(f"{one!r} is no number", hint=f"as in {name}={known[name]:g}") from None
    return chosen


def meant_inputs(inputs: Sequence[str], task: Task) -> tuple[Path | str, ...]:
    """As `input_files`; what is not there is a text, where the task reads texts.

    None at all are what the task begins with (`Answerer.meant`); UsageError where it begins with nothing.
    """
    if not inputs and not isinstance(task, Unprompted):
        what = "a file or a text" if isinstance(task, ReadsText) else "a file"
        raise UsageError(f"an answer of the task {task.name} needs {what}", hint="zoo predict TARGET INPUT...")
    if not isinstance(task, ReadsText):
        return input_files([Path(one) for one in inputs])
    found: list[Path | str] = []
    for one in inputs:
        found += input_files([Path(one)]) if os.path.exists(one) else [one]  # noqa: PTH110  a text may be too long a path
    return tuple(found)


def input_files(inputs: Sequence[Path]) -> tuple[Path, ...]:
    """The files meant: a folder stands for every file in it, hidden ones left out, sorted; UsageError for none.

    A whole number that is no file is kept: to a task whose inputs are drawn it is a seed.
    """
    found: list[Path] = []
    for path in inputs:
        if path.is_dir():
            inside = [file for file in sorted(path.rglob("*")) if file.is_file() and not _hidden(file, path)]
            if not inside:
                raise UsageError(f"the folder {path} holds no files", hint="name files, or a folder with files in it")
            found += inside
        elif path.exists() or str(path).isdecimal():
            found.append(path)
        else:
            raise UsageError(f"{path} does not exist", hint="name files, or a folder with files in it")
    return tuple(found)


def _hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def answers(
    answerer: Answerer,
    files: Iterable[Path | str],
    *,
    limit: int = 5,
    settings: Mapping[str, float] = MappingProxyType({}),
) -> Iterator[Answer]:
    """One answer per file, in order; a file that cannot be read gets its reason and stops nobody."""
    for file in files:
        try:
            inputs = answerer.read(file)
        except BadFile as error:
            yield Answer(file=file, unreadable=error.message)
            continue
        name = file if isinstance(file, str) else file.name
        case = Case(name=name, kind="file", inputs=inputs, origin=str(file))
        answer = answerer.respond(inputs, settings)
        shown = _show(answerer, case, answer, limit=limit)
        yield Answer(file=file, shown=shown, arrays=answer if isinstance(answerer.task, Comparing) else None)


def _show(answerer: Answerer, case: Case, answer: Arrays, *, limit: int) -> Shown:
    """What people see; a name in the text cannot pose as another line, and records keep it as it is."""
    problem, show = answerer.problem, answerer.task.show
    shown = show(case, answer, problem, limit=limit)
    names = (case.name, *problem.classes)
    name, *classes = map(one_line, names)
    if (name, *classes) == names:
        return shown
    harmless = show(replace(case, name=name), answer, replace(problem, classes=tuple(classes)), limit=limit)
    return replace(shown, text=harmless.text)


def compared(answerer: Answerer, found: Iterable[Answer], *, limit: int = 5) -> Shown | None:
    """What follows from several answers together, where the task compares them; None of fewer than two."""
    known = [(str(answer.file), answer.arrays) for answer in found if answer.arrays is not None]
    if not isinstance(answerer.task, Comparing) or len(known) < 2:
        return None
    names, arrays = zip(*known, strict=True)
    return answerer.task.compare(names, arrays, answerer.problem, limit=limit)


@contextmanager
def bundle_answerer(bundle: Path, catalog: Catalog) -> Iterator[Answerer]:
    """A bundle's pipeline.onnx in a sandboxed process, read and shown by the installed task; needs no torch."""
    opened = Bundle.open(bundle)
    manifest = opened.manifest
    task = catalog.make_task(manifest.task)
    with bundle_pipeline(opened) as answer:
        yield Answerer(
            model=manifest.model,
            task=task,
            problem=manifest.problem,
            answer=answer,
            signature=manifest.pipeline_signature,
        )
