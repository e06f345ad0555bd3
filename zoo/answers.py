"""From files to answers that people can read: reading, asking, showing and saving, whoever does the answering."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoo import atomic
from zoo.catalog import Catalog
from zoo.errors import BadFile, UsageError
from zoo.problem import Json, Problem
from zoo.replay.bundle import Bundle
from zoo.replay.predict import bundle_pipeline
from zoo.task import Case, Responding, Shown, Signature, Task

if TYPE_CHECKING:
    from zoo.task import Arrays


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

    def respond(self, inputs: Arrays) -> Arrays:
        """The task's answer to one item, in one run or, where the task says so, in many."""
        fed = {**inputs, **self.signature.initial_state()}
        if isinstance(self.task, Responding):
            return self.task.respond(self.answer, fed, self.signature.feedback, self.problem)
        return self.answer(fed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer for one file, or why the file cannot be read."""

    file: Path
    shown: Shown | None = None
    unreadable: str = ""

    def record(self) -> dict[str, Json]:
        """The same for machines."""
        if self.shown is None:
            return {"file": str(self.file), "unreadable": self.unreadable}
        return {"file": str(self.file), **self.shown.record}


def input_files(inputs: Sequence[Path]) -> tuple[Path, ...]:
    """The files meant: a folder stands for every file in it, hidden ones left out, sorted; UsageError for none."""
    found: list[Path] = []
    for path in inputs:
        if path.is_dir():
            inside = [file for file in sorted(path.rglob("*")) if file.is_file() and not _hidden(file, path)]
            if not inside:
                raise UsageError(f"the folder {path} holds no files", hint="name files, or a folder with files in it")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise UsageError(f"{path} does not exist", hint="name files, or a folder with files in it")
    return tuple(found)


def _hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def answers(answerer: Answerer, files: Iterable[Path], *, limit: int = 5) -> Iterator[Answer]:
    """One answer per file, in order; a file that cannot be read gets its reason and stops nobody."""
    for file in files:
        try:
            inputs = answerer.task.read(file, answerer.problem)
        except BadFile as error:
            yield Answer(file=file, unreadable=error.message)
            continue
        case = Case(name=file.name, kind="file", inputs=inputs, origin=str(file))
        shown = answerer.task.show(case, answerer.respond(inputs), answerer.problem, limit=limit)
        yield Answer(file=file, shown=shown)


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


def save_answers(folder: Path, found: Iterable[Answer], *, overwrite: bool = False) -> list[Answer]:
    """A new folder with predictions.json, predictions.csv and a picture for every answer that has one.

    Pictures are written as the answers come, so that a large folder of files needs little memory.
    """
    kept: list[Answer] = []

    def fill(place: Path) -> None:
        names: set[str] = set()
        for answer in found:
            kept.append(answer)
            if answer.shown is not None and answer.shown.picture is not None:
                answer.shown.picture.save(place / _free_name(answer.file, names))
        records = [answer.record() for answer in kept]
        (place / "predictions.json").write_text(json.dumps(records, indent=2, ensure_ascii=False) + "\n")
        (place / "predictions.csv").write_text(_as_csv(records))

    atomic.write_directory(folder, fill, overwrite=overwrite)
    return kept


def _free_name(file: Path, taken: set[str]) -> str:
    """A name for the picture of a file that no other file of the same name has taken."""
    name, number = f"{file.stem}.png", 1
    while name in taken:
        number += 1
        name = f"{file.stem}-{number}.png"
    taken.add(name)
    return name


def _as_csv(records: Sequence[Mapping[str, Json]]) -> str:
    """A row per file, a column per single value: classes.0.name, classes.0.probability, …"""
    import csv  # noqa: PLC0415  only saving needs it

    rows = [dict(_flat(record)) for record in records]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _flat(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    pairs: Iterable[tuple[object, object]]
    match value:
        case Mapping():
            pairs = value.items()
        case list() | tuple():
            pairs = enumerate(value)
        case _:
            yield name, value
            return
    for key, inner in pairs:
        yield from _flat(inner, f"{name}.{key}" if name else str(key))
