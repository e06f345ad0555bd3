"""Texts with labels as tasks take them: which sources there are, and every row of one read; torch-free."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.task import Port, Progress
from zoo.data.embedded.names import names
from zoo.data.formats.detect import Formats, read_source
from zoo.data.formats.text.checks import check_labelled
from zoo.data.formats.text.layouts import detect_text
from zoo.data.formats.text.rows import Found, TextRow

EMBEDDED: Final = "names"
SPLITS: Final[tuple[Split, ...]] = ("train", "validation", "test")

TOKENS: Final = Port(name="tokens", dtype="int64", shape=("batch", "length"), doc="token numbers, padded behind")
LENGTH: Final = Port(name="lengths", dtype="int64", shape=("batch",), doc="how many of them are text; at least 1")


def detect(request: DataRequest, *, installed: Formats | None = None) -> DataSource:
    """A table, a folder with one per split or with text files by class, a format installed, or embedded names."""
    return detect_text(request, embedded=(EMBEDDED,), task="text-classification", installed=installed)


def check(source: DataSource, *, progress: Progress, new_labels: bool = False) -> DataCard:
    """Every row or file read; samples are `zoo.data.formats.text.rows.TextItem`.

    With `new_labels` a split may have labels that train does not have.
    """
    entries = _embedded() if source.format == EMBEDDED else read_source(source)
    return check_labelled(source, entries, progress=progress, new_labels=new_labels)


def _embedded() -> Iterator[Found]:
    for split in SPLITS:
        yield from (TextRow(f"{split} {at}", text, label, split) for at, (text, label) in enumerate(names(split)))
