"""From the words of a command to what is to be answered; nothing is opened yet.  Torch-free."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from zoo.api.errors import UsageError
from zoo.api.parts import Task
from zoo.api.problem import Input, LatentInput
from zoo.data.formats.folders import contents, hidden, notes_on, walk
from zoo.models.inputs.kinds import file_kind
from zoo.models.inputs.source import (
    GivenAddress,
    GivenFile,
    GivenLatents,
    GivenStream,
    GivenText,
    NamedInput,
    ResolvedInputs,
)

SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,20})://\S+")
FETCHED: Final = frozenset({"http", "https"})
STANDARD_INPUT: Final = "-"
DRAWN: Final = 64
"""Samples that are made where nobody says how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputKind:
    """What decides how the words of a command are read."""

    task: Task
    input: Input
    """Of the model."""


def resolve_inputs(
    words: Sequence[str],
    kind: InputKind,
    *,
    stdin: BinaryIO | None = None,
    samples: int | None = None,
    seed: int | None = None,
) -> ResolvedInputs:
    """What the words name: files, folders, globs, addresses, `-` for standard input; else a text, where texts are read.

    Models that make pictures of latents are given `samples` latents of `seed` instead of words.  No words at all are
    left to `Answerer.default_sources`.  UsageError for a word that names nothing, and where something must be named.
    """
    if isinstance(kind.input, LatentInput) and not words:
        return ResolvedInputs(given=(GivenLatents(count=samples or DRAWN, seed=seed or 0),))
    if samples is not None and not kind.task.tags.generative:
        reason = "INPUT says which" if isinstance(kind.input, LatentInput) else f"{kind.task.name} draws none"
        raise UsageError(f"--samples is for models that draw their answers: {reason}")
    if not words and not kind.task.tags.unconditional:
        what = "a file or a text" if kind.task.tags.reads_text else "a file"
        raise UsageError(f"an answer of the task {kind.task.name} needs {what}", hint="zoo predict TARGET INPUT...")
    if words.count(STANDARD_INPUT) > 1:
        raise UsageError("standard input (-) can be read once only")
    given: list[NamedInput] = []
    notes: list[str] = []
    for word in words:
        resolved = _resolve(word, kind, stdin)
        given += resolved.given
        notes += resolved.notes
    return ResolvedInputs(given=tuple(given), notes=tuple(notes))


def _resolve(word: str, kind: InputKind, stdin: BinaryIO | None) -> ResolvedInputs:
    if word == STANDARD_INPUT and stdin is not None:
        return ResolvedInputs(given=(GivenStream(stream=stdin),))
    if os.path.exists(word):  # noqa: PTH110  a text may be too long a path
        return input_files([Path(word)], kind.input)
    if match := SCHEME.fullmatch(word):
        if match[1].lower() not in FETCHED:
            raise UsageError(f"{word} is no http or https address", hint="name a file by its path")
        return ResolvedInputs(given=(GivenAddress(url=word),))
    if matches := _glob(word, reads_text=kind.task.tags.reads_text):
        return input_files(matches, kind.input)
    if kind.task.tags.reads_text:
        return ResolvedInputs(given=(GivenText(text=word),))
    if not word:
        raise UsageError("an INPUT is empty", hint="name files, or a folder with files in it")
    return input_files([Path(word)], kind.input)


def _glob(word: str, *, reads_text: bool) -> list[Path]:
    """The visible paths that a pattern matches, sorted; a text with a question mark is none."""
    if not glob.has_magic(word) or (reads_text and "*" not in word) or len(word) > 4096 or "\0" in word:
        return []
    return sorted(Path(match) for match in glob.glob(word, recursive=True))  # noqa: PTH207  of any folder


def input_files(paths: Sequence[Path], input: Input) -> ResolvedInputs:
    """The files that the paths name; UsageError for a path that names none.

    A folder stands for every file in it that the model may be fed, sorted; the others are left out with a note, as in
    training.  A whole number that is no file is kept: to a task whose inputs are drawn it is a seed.
    """
    files: list[Path] = []
    notes: list[str] = []
    for path in paths:
        if path.is_dir():
            inside, said = _folder(path, input)
            files += inside
            notes += said
        elif path.exists() or str(path).isdecimal():
            files.append(path)
        elif glob.has_magic(str(path)):
            raise UsageError(f"no file matches {path}", hint="name files, or a folder with files in it")
        else:
            raise UsageError(f"{path} does not exist", hint="name files, or a folder with files in it")
    return ResolvedInputs(given=tuple(GivenFile(path=file) for file in files), notes=tuple(notes))


def _folder(folder: Path, input: Input) -> tuple[list[Path], list[str]]:
    """The files of a folder, and notes on those that were left out."""
    kind = file_kind(input)
    if kind is not None:
        listing = contents(folder, folder, kind=kind)
        if names := sorted({*listing.files, *listing.unread}):  # what cannot be read is said file by file
            for suffix in kind.unread:
                listing.others.pop(suffix, None)
            return [folder / name for name in names], [f"{folder}: {note}" for note in notes_on([listing])]
    names = sorted(name for name, is_hidden in walk(folder, folder) if not is_hidden and not hidden(Path(name).name))
    if not names:
        raise UsageError(f"the folder {folder} holds no files", hint="name files, or a folder with files in it")
    return [folder / name for name in names], []
