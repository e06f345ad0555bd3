"""Pictures with objects in them, as a source describes them and as a DataCard holds them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zoo.api.data import Split
from zoo.api.errors import BadSample
from zoo.data.formats.samples import Origins

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class BoxAnnotation:
    """One object as a source writes it.

    Examples:
        >>> zoo.BoxAnnotation(label="cat", box=(3.0, 4.0, 20.0, 18.0), where="1.xml, object 1").ignored
        False
    """

    label: str
    """The class."""
    box: Box
    """In pixels of the upright picture, or in shares of its sides; not checked yet."""
    where: str
    """The file and line (or id) that say so, for a sentence about it."""
    ignored: bool = False
    """True for a crowd region of COCO and a difficult object of Pascal VOC: nobody has to find it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRow:
    """One picture of a listing.

    Examples:
        >>> zoo.ObjectRow(name="1.jpg", annotations=(), split="train").annotations
        ()
    """

    name: str
    """The path below the listing's root, with slashes."""
    annotations: tuple[BoxAnnotation, ...]
    """Its objects, in the order of the source."""
    split: Split | None = None
    """Where the source puts it, if it says so."""
    size: tuple[int, int] | None = None
    """Height and width that the source claims, if it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectListing:
    """Everything a source names, before any picture was opened.

    Examples:
        >>> box = zoo.BoxAnnotation(label="cat", box=(3.0, 4.0, 20.0, 18.0), where="1.xml")
        >>> rows = [zoo.ObjectRow(name="1.jpg", annotations=(box,))]
        >>> zoo.ObjectListing(root=Path("pets"), rows=rows, classes=("cat",)).relative
        False
    """

    root: Path
    """The folder below which rows are named."""
    rows: Sequence[ObjectRow]
    """One for each picture that it names."""
    classes: tuple[str, ...]
    """Names in index order, those of all labels among them."""
    relative: bool = False
    """True where boxes are written in shares of the picture's sides."""
    problems: Sequence[BadSample] = ()
    """What is wrong with the source itself: nothing is trained then."""
    notes: Sequence[str] = ()
    """What must be said about how it was read; a `DataNote` where it is of a kind."""
    repeats: bool = False
    """True where the source itself names the same pictures for training and for validation."""
    origins: Origins = field(default_factory=dict)
    """Which files or folders say what belongs to a split, below the root."""


@dataclass(frozen=True, slots=True)
class ObjectSample:
    """One picture of a split with its checked objects."""

    name: str
    boxes: tuple[Box, ...]
    """In pixels of the upright picture."""
    labels: tuple[int, ...]
    """Indices into the card's classes."""
    sides: tuple[int, int]
    """Height and width of the upright picture, in pixels."""
    index: int = -1
    """The position in a source that is no folder of files; -1 for files."""
    size: int = 0
    """Bytes of the file; 0 where there is none."""
    content: str = ""
    """sha256 of the file; empty where there is none."""
    ignored: tuple[tuple[Box, int], ...] = ()
    """Crowd regions and difficult objects with their classes: not learnt, and neither missed nor wrong in a metric."""


def object_fingerprint(
    format: str, classes: Sequence[str], splits: Mapping[Split, Sequence[ObjectSample]], *, by_size: bool = False
) -> str:
    """sha256 over the classes and the sorted samples with their contents and boxes: the same data give the same one.

    With `by_size` it is that of zoo 0.1, which took the sizes of the files for their contents.
    """
    digest = hashlib.sha256("\0".join((format, *classes)).encode("utf-8", "surrogateescape"))
    lines = sorted(
        f"{split}\0{item.name}\0{item.size if by_size else item.content or item.size}\0{item.labels}\0{item.boxes}"
        + (f"\0{item.ignored}" if item.ignored else "")
        for split in splits
        for item in splits[split]
    )
    for line in lines:
        digest.update(b"\n" + line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
