"""What the formats of texts name: one reader each, with labels for classification and without for generation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from zoo.api.data import DataNote, DataRequest
from zoo.data.formats.class_folders.tree import list_class_folders
from zoo.data.formats.columns import NoLabels
from zoo.data.formats.parts import note_about
from zoo.data.formats.text.layouts import about_files, labelled_files, other_files, plain_files, split_files
from zoo.data.formats.text.rows import TABLES, TEXT_FILES, Found, TextNote, read_classes, read_plain, read_table


def read_labelled_table(location: Path, *, request: DataRequest) -> Iterator[Found]:
    """Every row of a table of texts and labels."""
    return read_table(location, labelled=True, request=request)


def read_lines(location: Path, *, request: DataRequest) -> Iterator[Found]:
    """Every row of a table of texts."""
    return read_table(location, labelled=False, request=request)


def read_labelled_tables(location: Path, *, request: DataRequest) -> Iterator[Found]:
    """Every row of the tables of a folder, each a split, with labels."""
    return _tables(location, request, labelled=True)


def read_tables_of_lines(location: Path, *, request: DataRequest) -> Iterator[Found]:
    """The same without labels."""
    return _tables(location, request, labelled=False)


def _tables(location: Path, request: DataRequest, *, labelled: bool) -> Iterator[Found]:
    lines = labelled_files(location, request) if labelled else []
    for file, part in lines or split_files(location, TABLES, request=request):
        try:
            yield from read_table(file, labelled=labelled, split=part, request=request)
        except NoLabels:
            if part != "test" or request.label_column:
                raise
            message = f"left out {file.name}: it has no labels, so that nothing is measured"
            yield TextNote(DataNote(message, kind="left-out", what=file.name, items=1))


def read_class_folders(location: Path, *, request: DataRequest) -> Iterator[Found]:
    """Every text file below the folder of its class."""
    listing = list_class_folders(location, TEXT_FILES, request=request)
    yield from map(TextNote, listing.notes)
    yield from read_classes(listing, request.encoding)


def read_file(location: Path, *, request: DataRequest) -> Iterator[Found]:
    """A file as one text."""
    yield read_plain(location, location.name, encoding=request.encoding)


def read_folder(location: Path, *, request: DataRequest) -> Iterator[Found]:
    """Every text file below a folder."""
    names = set()
    for file, split in plain_files(location, request=request):
        names.add(file.name)
        yield read_plain(file, file.relative_to(location).as_posix(), split=split, encoding=request.encoding)
    if others := other_files(location):
        shown = ", ".join(others[:5]) + (", …" if len(others) > 5 else "")
        message = f"left out {shown}: no text files"
        yield TextNote(DataNote(message, kind="left-out", what=shown, items=len(others)))
    if about := [name for name in about_files(location) if name not in names]:
        yield TextNote(note_about(about))
