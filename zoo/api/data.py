"""What zoo found in a source of data: the frozen result of looking (DataSource) and of checking (DataCard)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from zoo.api.problem import Json

Split = Literal["train", "validation", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRequest:
    """What the user asked for, before anything was looked at."""

    source: str
    """An embedded name ("digits"), a path, or "scheme:rest" ("torchvision:CIFAR10")."""
    root: Path | None = None
    """Where a named dataset is kept or downloaded to."""
    on_bad_sample: Literal["error", "skip"] = "error"
    """Whether a few bad samples may be left out, and named, or end it."""
    train: str = ""
    """What to learn from where the names in the source do not say it: a folder or file below the source, "." for the
    source itself, whose folders are then classes.  Where this is given, no name is taken for a split."""
    validation: str = ""
    """The same for validation."""
    test: str = ""
    """The same for testing."""
    ratios: tuple[float, float, float] | None = None
    """Shares of train, validation and test, by which a source without splits of its own is divided."""
    format: str = ""
    """The format to read a source as; empty to recognise it."""
    text_column: str = ""
    """The column of texts in a table, by its name or its number from 1; empty to recognise it."""
    label_column: str = ""
    """The same for the column of labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """A request whose layout was recognised, in under a second and without decoding anything."""

    request: DataRequest
    """What it was made of."""
    format: str
    """As in digits, class-folders, csv, image-folder, torchvision."""
    location: Path | None = None
    """The file or folder; None for embedded data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCard:
    """Data that were checked sample by sample and can be trained on."""

    source: DataSource
    """Where they come from."""
    splits: Mapping[Split, Sequence[Any]]
    """The task's own items per split, in a fixed order; "test" may be absent."""
    classes: tuple[str, ...] = ()
    """Class names in index order; empty where the task has none."""
    facts: Mapping[str, Json] = field(default_factory=dict)
    """What else the check learnt, by name: channels, sizes, a vocabulary."""
    fingerprint: str = ""
    """sha256 over the sorted items (name, size, label, split): the same data give the same one."""
    notes: tuple[str, ...] = ()
    """Sentences the user should read: what was skipped, split, scaled."""

    def counts(self) -> dict[str, int]:
        """Number of items per split."""
        return {name: len(items) for name, items in self.splits.items()}
