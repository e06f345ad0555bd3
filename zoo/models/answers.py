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
from zoo.api.parts import FileItem, Task
from zoo.api.problem import Json, Problem
from zoo.api.task import Case, Shown, Signature
from zoo.api.untrusted import one_line
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.predict import bundle_pipeline
from zoo.registry.catalog import Catalog

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

    def default_inputs(self, inputs: Sequence[Path | str]) -> Sequence[Path | str]:
        """The inputs; where there are none, those that the task chooses for itself."""
        return inputs or (self.task.answers.prompts(self.problem) if self.task.tags.unconditional else ())

    def respond(self, inputs: Arrays, settings: Mapping[str, float] = MappingProxyType({})) -> Arrays:
        """The task's answer to one item, in one run or, where the task says so, in many."""
        arrays = {**inputs, **self.signature.initial_state()}
        if self.task.tags.generative:
            chosen = {**self.task.tags.settings, **settings}
            return self.task.answers.generate(self.answer, arrays, self.signature.feedback, self.problem, chosen)
        return self.answer(arrays)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer for one item of a file, or why the file cannot be read."""

    file: Path | str
    """A text given in words is itself."""
    shown: Shown | None = None
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


def chosen_settings(task: Task, texts: Sequence[str]) -> dict[str, float]:
    """Settings of an answer from "name=value"; UsageError for a name that the task does not have, or no number."""
    known = task.tags.settings
    chosen = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise UsageError(f"answers of the task {task.name} have no setting {name!r}", hint=has)
        try:
            chosen[name] = float(value)
        except ValueError:
            raise UsageError(f"{text!r} is no number", hint=f"as in {name}={known[name]:g}") from None
    return chosen


def resolve_inputs(inputs: Sequence[str], task: Task) -> tuple[Path | str, ...]:
    """As `input_files`; what is not there is a text, where the task reads texts.

    No inputs at all are left to `Answerer.default_inputs`; UsageError where the task cannot answer without one.
    """
    if not inputs and not task.tags.unconditional:
        what = "a file or a text" if task.tags.reads_text else "a file"
        raise UsageError(f"an answer of the task {task.name} needs {what}", hint="zoo predict TARGET INPUT...")
    if not task.tags.reads_text:
        return input_files([Path(text) for text in inputs])
    resolved: list[Path | str] = []
    for text in inputs:
        resolved += input_files([Path(text)]) if os.path.exists(text) else [text]  # noqa: PTH110  may be too long a path
    return tuple(resolved)


def input_files(inputs: Sequence[Path]) -> tuple[Path, ...]:
    """The files that the paths name; UsageError for a path that names none.

    A folder stands for every file in it, sorted, hidden ones left out.

    A whole number that is no file is kept: to a task whose inputs are drawn it is a seed.
    """
    files: list[Path] = []
    for path in inputs:
        if path.is_dir():
            in_folder = [file for file in sorted(path.rglob("*")) if file.is_file() and not _hidden(file, path)]
            if not in_folder:
                raise UsageError(f"the folder {path} holds no files", hint="name files, or a folder with files in it")
            files += in_folder
        elif path.exists() or str(path).isdecimal():
            files.append(path)
        else:
            raise UsageError(f"{path} does not exist", hint="name files, or a folder with files in it")
    return tuple(files)


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
            shown = _show(answerer, case, answer, limit=limit)
            arrays = answer if answerer.task.tags.pairwise else None
            yield Answer(file=file, item=item.name, shown=shown, arrays=arrays)


def _show(answerer: Answerer, case: Case, answer: Arrays, *, limit: int) -> Shown:
    """What people see; a name in the text cannot pose as another line, and records keep it as it is."""
    problem, show = answerer.problem, answerer.task.answers.show
    shown = show(case, answer, problem, limit=limit)
    names = (case.name, *problem.classes)
    name, *classes = map(one_line, names)
    if (name, *classes) == names:
        return shown
    harmless = show(replace(case, name=name), answer, replace(problem, classes=tuple(classes)), limit=limit)
    return replace(shown, text=harmless.text)


def compared(answerer: Answerer, given: Iterable[Answer], *, limit: int = 5) -> Shown | None:
    """What follows from several answers together, where the task compares them; None of fewer than two."""
    known = [(answer.title, answer.arrays) for answer in given if answer.arrays is not None]
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
