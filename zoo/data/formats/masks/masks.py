"""Pictures with a class for every pixel, as a source describes them and as a DataCard holds them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from zoo.api.data import Split
from zoo.api.errors import BadSample
from zoo.data.formats.samples import Origins

IGNORE_INDEX: Final = 255
"""The value in a mask of pixels whose class is left open."""
Shape = tuple[int, str]
"""Index of a class and a region as COCO's JSON writes it: polygons or run lengths."""


Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""


@dataclass(frozen=True, slots=True)
class MaskCoding:
    """How the classes stand in mask files, where these do not hold plain class numbers."""

    levels: tuple[tuple[int, int], ...] = ()
    """(grey level, class): 255 is class 1 in masks that are black and white."""
    colours: tuple[tuple[Colour, int], ...] = ()
    """(colour, class); 255 for a colour that leaves pixels open."""


PLAIN: Final = MaskCoding()
"""Pixels are class numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskRow:
    """One picture of a listing.

    Examples:
        >>> zoo.MaskRow(name="images/1.jpg", mask="masks/1.png", split="train").size is None
        True
    """

    name: str
    """The path below the listing's root, with slashes."""
    mask: str = ""
    """The path of its index mask; empty where shapes are drawn instead."""
    shapes: tuple[Shape, ...] = ()
    """The largest first; what comes later lies on top."""
    relative: bool = False
    """True where the corners of the shapes are shares of the picture's sides."""
    split: Split | None = None
    """Where the source puts it, if it says so."""
    size: tuple[int, int] | None = None
    """Height and width that the source claims, if it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskListing:
    """Everything a source names, before any picture was opened.

    Examples:
        >>> rows = [zoo.MaskRow(name="images/1.jpg", mask="masks/1.png")]
        >>> zoo.MaskListing(root=Path("streets"), rows=rows, classes=("road", "sky")).repeats
        False
    """

    root: Path
    """The folder below which rows are named."""
    rows: Sequence[MaskRow]
    """One for each picture that it names."""
    classes: tuple[str, ...] = ()
    """Empty where nothing names them: they are then the numbers in the masks."""
    colours: Sequence[tuple[Colour, int]] = ()
    """Which class a colour is, where a file says so; 255 for a colour that leaves pixels open."""
    repeats: bool = False
    """True where the source itself names the same pictures for training and for validation."""
    problems: Sequence[BadSample] = ()
    """What is wrong with the source itself: nothing is trained then."""
    notes: Sequence[str] = ()
    """What must be said about how it was read; a `DataNote` where it is of a kind."""
    origins: Origins = field(default_factory=dict)
    """Which files or folders say what belongs to a split, below the root."""


@dataclass(frozen=True, slots=True)
class MaskSample:
    """One picture of a split with where its class map comes from."""

    name: str
    """The path below the source's root, with slashes, or a name such as "test/17"."""
    mask: str = ""
    shapes: tuple[Shape, ...] = ()
    sides: tuple[int, int] = (0, 0)
    """Height and width of the upright picture, in pixels."""
    index: int = -1
    """The position in a source that is no folder of files; -1 for files."""
    size: int = 0
    """Bytes of the picture; 0 where there is no file."""
    content: str = ""
    """sha256 of the mask file; empty where there is none."""
    picture: str = ""
    """sha256 of the picture file; empty where there is none."""
    coding: MaskCoding = PLAIN
    """How the mask file is read."""
    present: tuple[int, ...] = ()
    """Indices of the classes that occur in it; empty where nobody looked."""


def mask_fingerprint(
    format: str, classes: Sequence[str], splits: Mapping[Split, Sequence[MaskSample]], *, by_size: bool = False
) -> str:
    """sha256 over the classes and the sorted samples with their masks: the same data give the same one.

    With `by_size` it is that of zoo 0.1, which took the sizes of the pictures for their contents.
    """
    digest = hashlib.sha256("\0".join((format, *classes)).encode("utf-8", "surrogateescape"))
    lines = sorted(
        f"{split}\0{item.name}\0{item.size if by_size else item.picture or item.size}"
        + f"\0{item.mask}\0{item.content}\0{item.shapes}"
        + (f"\0{item.coding}" if item.coding != PLAIN else "")
        for split in splits
        for item in splits[split]
    )
    for line in lines:
        digest.update(b"\n" + line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
