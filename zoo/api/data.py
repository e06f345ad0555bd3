"""What zoo knows about data: a request, the source that was detected, and the card of the checked data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from zoo.api.problem import Json
from zoo.api.specs import Reference

Split = Literal["train", "validation", "test"]


NoteKind = Literal[
    "reading",
    "left-out",
    "leak",
    "duplicate",
    "conflict",
    "missing-class",
    "similar-classes",
    "imbalance",
    "small-split",
    "empty",
    "truncated",
    "range",
    "resampled",
    "clipped",
    "unlabelled",
]
"""What a note is about: how the data were read, what was left out of them, or a warning."""


class DataNote(str):
    """A sentence for the user that also says as data what it is about.

    Examples:
        >>> note = zoo.DataNote("2 files were left out", kind="left-out", items=2)
        >>> str(note)
        '2 files were left out'
    """

    kind: NoteKind
    """One of reading, left-out, leak, duplicate, conflict, …: all but the first two are warnings."""
    items: int
    """How many items it is about; 0 where it is about none in particular."""
    examples: tuple[str, ...]
    """Some of them, by name."""
    what: str
    """Of what was left out: its name, or what several have in common."""

    def __new__(
        cls,
        message: str,
        *,
        kind: NoteKind = "reading",
        items: int = 0,
        examples: Sequence[str] = (),
        what: str = "",
    ) -> DataNote:
        """The sentence with these facts."""
        note = super().__new__(cls, message)
        note.kind, note.items, note.examples, note.what = kind, items, tuple(examples), what
        return note


def counted(number: int, one: str, more: str = "") -> str:
    """1 item, 2,400 items; `more` is the plural where it is not `one` with an s: 1 text is, 2 texts are."""
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRequest:
    """What the user asked for, before anything is read.

    Examples:
        >>> zoo.DataRequest(source="photos", ratios=(0.8, 0.1, 0.1)).on_bad_sample
        'error'
    """

    source: str
    """An embedded name ("digits"), a path, or "scheme:rest" ("torchvision:CIFAR10")."""
    root: Path | None = None
    """Where a named dataset is kept or downloaded to."""
    on_bad_sample: Literal["error", "skip"] = "error"
    """Whether a few bad samples are left out with a note, or are an error."""
    train: str = ""
    """The training data, where the names in the source do not say it: a folder or file below the source, or "." for the
    source itself, whose folders are then classes.  Where this is given, no folder name is read as a split."""
    validation: str = ""
    """The validation data, given in the same way."""
    test: str = ""
    """The test data, given in the same way."""
    ratios: tuple[float, float, float] | None = None
    """Shares of train, validation and test, for a source without splits of its own."""
    format: str = ""
    """The format to read a source as; empty to detect it."""
    text_column: str = ""
    """The column of texts in a table, by its name or its number from 1; empty to detect it."""
    label_column: str = ""
    """The same for the column of labels."""
    encoding: str = ""
    """What files of text are in that have no byte order mark, as in cp1252; empty for UTF-8."""
    location: str = ""
    """The absolute path that a run found its data at: it is read where something lies there, `source` where not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """A request whose layout was detected, in under a second and without decoding anything.

    Examples:
        >>> zoo.DataSource(request=zoo.DataRequest(source="digits"), format="embedded").sure
        True
    """

    request: DataRequest
    """The request."""
    format: str
    """The name of the layout: digits, class-folders, csv, image-folder, torchvision."""
    location: Path | None = None
    """The file or folder; None for embedded data."""
    read: Reference = ""
    """What reads it: the reference of its `FormatSpec`; empty for data that no format describes."""
    notes: tuple[str, ...] = ()
    """Sentences on how it was found: as the only folder in the one that was named."""
    sure: bool = True
    """False where other data look the same, as `FormatMatch.sure` says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCard:
    """Data that were checked sample by sample and can be trained on.

    Examples:
        >>> source = zoo.DataSource(request=zoo.DataRequest(source="digits"), format="embedded")
        >>> card = zoo.DataCard(source=source, splits={"train": ("a", "b"), "validation": ("c",)}, classes=("0", "1"))
        >>> {split: len(samples) for split, samples in card.splits.items()}
        {'train': 2, 'validation': 1}
    """

    source: DataSource
    """The source of the data."""
    splits: Mapping[Split, Sequence[Any]]
    """The task's own items per split, in a fixed order; "test" may be absent."""
    classes: tuple[str, ...] = ()
    """Class names in index order; empty where the task has none."""
    facts: Mapping[str, Json] = field(default_factory=dict)
    """Further facts that the check found, by name: channels, sizes, a vocabulary."""
    fingerprint: str = ""
    """sha256 over the sorted items (split, name, contents, label): equal data have equal fingerprints."""
    former_fingerprint: str = ""
    """As zoo 0.1 had it, by the sizes of files instead of their contents; empty where that is the same."""
    notes: tuple[str, ...] = ()
    """Sentences for the user: what was skipped, split, scaled; a `DataNote` where it is one of a kind."""
    root: Path | None = None
    """The folder below which samples are named; None where that is `source.location`, or where there is none."""
    origins: Mapping[Split, tuple[str, ...]] = field(default_factory=dict)
    """The files or folders that say what belongs to a split; for a split without any, its samples' names do."""
    decoded: Any = field(default=None, repr=False, compare=False)
    """What the check has decoded and the task's own reader may take instead of decoding it again; None for nothing."""

    def has_fingerprint(self, fingerprint: str) -> bool:
        """Whether a run or a bundle that recorded this fingerprint was made of these data, also with zoo 0.1."""
        return fingerprint == self.fingerprint or (fingerprint != "" and fingerprint == self.former_fingerprint)

    def counts(self) -> dict[str, int]:
        """Number of items per split."""
        return {name: len(items) for name, items in self.splits.items()}
