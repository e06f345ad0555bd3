"""Texts with labels as tasks take them: which sources there are, and every row of one read; torch-free."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.task import Port, Progress
from zoo.data.embedded.names import names
from zoo.data.formats.class_folders.tree import list_class_folders
from zoo.data.formats.text.checks import check_labelled
from zoo.data.formats.text.layouts import detect_text, split_files
from zoo.data.formats.text.rows import TABLES, TEXT_FILES, Found, TextRow, read_classes, read_table

EMBEDDED: Final = "names"
LAYOUTS: Final = ("text-table", "text-tables", "text-classes")
SPLITS: Final[tuple[Split, ...]] = ("train", "validation", "test")

TOKENS: Final = Port(name="tokens", dtype="int64", shape=("batch", "length"), doc="token numbers, padded behind")
LENGTH: Final = Port(name="lengths", dtype="int64", shape=("batch",), doc="how many of them are text; at least 1")


def detect(request: DataRequest) -> DataSource:
    """A CSV, TSV or JSON Lines file, a folder with one per split or with text files by class, or embedded names."""
    return detect_text(request, embedded=(EMBEDDED,), accepted=LAYOUTS)


def check(source: DataSource, *, progress: Progress, new_labels: bool = False) -> DataCard:
    """Every row or file read; samples are `zoo.data.formats.text.rows.TextItem`.

    With `new_labels` a split may have labels that train does not have.
    """
    if source.format == "text-classes" and source.location:
        listing = list_class_folders(source.location, TEXT_FILES, request=source.request)
        found, left_out = read_classes(listing), listing.notes
    else:
        found, left_out = _rows(source), ()
    return check_labelled(source, found, progress=progress, left_out=left_out, new_labels=new_labels)


def _rows(source: DataSource) -> Iterator[Found]:
    if source.format == EMBEDDED:
        for split in SPLITS:
            yield from (TextRow(f"{split} {at}", text, label, split) for at, (text, label) in enumerate(names(split)))
        return
    assert source.location is not None, "detect gives every source of files a location"
    if source.format == "text-table":
        yield from read_table(source.location, labelled=True, request=source.request)
        return
    for file, part in split_files(source.location, TABLES, request=source.request):
        yield from read_table(file, labelled=True, split=part, request=source.request)
