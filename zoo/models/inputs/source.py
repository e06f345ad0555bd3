"""What a user names (`NamedInput`), and what comes of it: sources, one file or text each.  Torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from zoo.api.errors import ZooError

if TYPE_CHECKING:
    from zoo.api.task import Arrays


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFile:
    """A file: an input of the task, or an archive or a video that holds many."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenText:
    """A text in words."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAddress:
    """An http(s) address that the user typed."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenStream:
    """Standard input, called `-`."""

    stream: BinaryIO


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenValue:
    """A picture or an array in memory."""

    value: object
    name: str
    """As in "input 2": answers need a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenLatents:
    """Latents to be drawn: what a model makes pictures of."""

    count: int
    seed: int


NamedInput = GivenFile | GivenText | GivenAddress | GivenStream | GivenValue | GivenLatents


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedInputs:
    """Everything that one command is asked about, checked as far as that needs no reading."""

    given: tuple[NamedInput, ...]
    notes: tuple[str, ...] = ()
    """Sentences on what was left out of folders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file, text or set of arrays, ready to be read."""

    name: Path | str
    """As the user knows it: a path, an address, photos.zip/a.png; a text in words is itself."""
    path: Path | None = None
    """The file to read: that of the name, or a copy of it."""
    text: str | None = None
    """A text in words, which is read instead of a file."""
    arrays: Arrays | None = None
    """Inputs of the pipeline, where there is nothing to read."""
    item: str = ""
    """Which item of the name it is, as in "frame 12"."""
    sample: int = 0
    """Counts the answers to one and the same input; each is drawn from a seed of its own."""
    failure: ZooError | None = None
    """Why there is nothing to read."""


def file_source(path: Path) -> Source:
    """A file that lies there."""
    return Source(name=path, path=path)


def text_source(text: str) -> Source:
    """A text in words."""
    return Source(name=text, text=text)
