"""Samples as a DataCard holds them, and the rows of a listing they are made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zoo.api.data import Split
from zoo.api.errors import BadSample

Origins = Mapping[Split | None, tuple[str, ...]]
"""The files or folders that say what belongs to a split, or to none in particular."""


def origins_of(origins: Origins, splits: Iterable[Split]) -> dict[Split, tuple[str, ...]]:
    """Where every split comes from: what says so of it, else what says so of none in particular."""
    return {split: where for split in splits if (where := origins.get(split) or origins.get(None))}


@dataclass(frozen=True, slots=True)
class Sample:
    """One item of a split."""

    name: str
    """The path below the source's location with slashes, or a name such as "test/17"."""
    label: int = -1
    """Index into the card's classes; -1 where there are none."""
    index: int = -1
    """The position in a source that is no folder of files; -1 for files."""
    size: int = 0
    """Bytes of the file; 0 where there is none."""
    content: str = ""
    """sha256 of the file; empty where there is none."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """One line of a listing: a file, what the source calls it, and the split the source puts it in, if any.

    Examples:
        >>> zoo.FileRow(name="train/cat/1.jpg", label="cat", split="train").split
        'train'
    """

    name: str
    """The path below the listing's root, with slashes."""
    label: str = ""
    """The class; empty where the source names none."""
    split: Split | None = None
    """Where the source puts it, if it says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileListing:
    """Everything a source names, before any file was opened.

    Examples:
        >>> rows = [zoo.FileRow(name="cat/1.jpg", label="cat"), zoo.FileRow(name="dog/1.jpg", label="dog")]
        >>> len(zoo.FileListing(root=Path("photos"), rows=rows).rows)
        2
    """

    root: Path
    """The folder below which rows are named."""
    rows: Sequence[FileRow]
    """One for each file that it names."""
    problems: Sequence[BadSample] = ()
    """What is wrong with the source itself: nothing is trained then."""
    notes: Sequence[str] = ()
    """What must be said about how it was read; a `DataNote` where it is of a kind."""
    origins: Origins = field(default_factory=dict)
    """Which files or folders say what belongs to a split, below the root."""


def fingerprint(
    format: str, classes: Sequence[str], splits: Mapping[Split, Iterable[Sample]], *, by_size: bool = False
) -> str:
    """sha256 over the classes and the sorted (split, name, content, label): the same data give the same one.

    With `by_size` it is that of zoo 0.1, which took the sizes of the files for their contents.
    """
    digest = hashlib.sha256("\0".join((format, *classes)).encode("utf-8", "surrogateescape"))
    lines = sorted(
        f"{split}\0{item.name}\0{item.size if by_size else item.content or item.size}\0{item.label}"
        for split in splits
        for item in splits[split]
    )
    for line in lines:
        digest.update(b"\n" + line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
