"""From files to answers that people can read: reading, asking and showing, whoever does the answering."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from zoo.api.errors import BadFile, UsageError
from zoo.api.parts import FileItem, Task
from zoo.api.problem import Json, Problem
from zoo.api.task import Case, Shown, Signature
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

    def read(self, source: Path | str) -> Sequence[FileItem]:
        """The items of a file, or of a text given in words; BadFile where it cannot be read."""
        if isinstance(source, str):
            return (FileItem(inputs=self.task.data.read_text(source, self.problem)),)
        return self.task.data.read(source, self.problem)

    def meant(self, inputs: Sequence[Path | str]) -> Sequence[Path | str]:
        """The inputs; where there are none, what the task begins with then."""
        return inputs or (self.task.answers.prompts(self.problem) if self.task.tags.unconditional else ())

    def respond(self, inputs: Arrays, settings: Mapping[str, float] = MappingProxyType({})) -> Arrays:
        """The task's answer to one item, in one run or, where the task says so, in many."""
        fed = {**inputs, **self.signature.initial_state()}
        if self.task.tags.generative:
            chosen = {**self.task.tags.settings, **settings}
            return self.task.answers.generate(self.answer, fed, self.signature.feedback, self.problem, chosen)
        return self.answer(fed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer for one item of a file, or why the file cannot be read."""

    file: Path | str
    """A text given in words is itself."""
    shown: Shown | None = None
    item: str = ""
    """Which item of the file it is, where a file may hold many."""
    item: str = ""
    """Which item of the file it is, where a file may hold many."""
    item: str = ""
    """Which item of the file it is, where a file may hold many."""
    unreadable: str = ""
    arrays: Arrays | None = None
    """The answer itself, kept where the task compares answers."""

    @property
    def title(self) -> str:
        """The file, or which item of it: rows.csv, row 3."""
        return f"{self.file}, {self.item}" if self.item else str(self.file)

    def record(self) -> dict[str, Json]:
        """The same for machines."""
        kind = "text" if isinstance(self.file, str) else "file"
        source: dict[str, Json] = {kind: str(self.file), **({"item": self.item} if self.item else {})}
        if self.shown is None:
            return {**source, "unreadable": self.unreadable}
        return {**source, **self.shown.record}


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
    known = task.tags.settings
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
    if not inputs and not task.tags.unconditional:
        what = "a file or a text" if task.tags.reads_text else "a file"
        raise UsageError(f"an answer of the task {task.name} needs {what}", hint="zoo predict TARGET INPUT...")
    if not task.tags.reads_text:
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
    """One answer per item, file by file; a file that cannot be read gets its reason and stops nobody."""
    for file in files:
        try:
            items = answerer.read(file)
        except BadFile as error:
            yield Answer(file=file, unreadable=error.message)
            continue
        name = file if isinstance(file, str) else file.name
        for item in items:
            origin = f"{file}, {item.name}" if item.name else str(file)
            case = Case(
                name=f"{name}, {item.name}" if item.name else name, kind="file", inputs=item.inputs, origin=origin
            )
            answer = answerer.respond(item.inputs, settings)
            shown = answerer.task.answers.show(case, answer, answerer.problem, limit=limit)
            arrays = answer if answerer.task.tags.pairwise else None
            yield Answer(file=file, item=item.name, shown=shown, arrays=arrays)


def compared(answerer: Answerer, found: Iterable[Answer], *, limit: int = 5) -> Shown | None:
    """What follows from several answers together, where the task compares them; None of fewer than two."""
    known = [(answer.title, answer.arrays) for answer in found if answer.arrays is not None]
    if not answerer.task.tags.pairwise or len(known) < 2:
        return None
    names, arrays = zip(*known, strict=True)
    return answerer.task.answers.compare(names, arrays, answerer.problem, limit=limit)


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
