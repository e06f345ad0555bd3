"""A CSV or TSV file with the columns path, label and, if wanted, split."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from zoo.api.errors import BadFile, BadSample, DataError
from zoo.data.formats.class_folders.tree import SPLIT_FOLDERS
from zoo.data.formats.samples import Listing, Row

COLUMNS = {"path": ("path", "file", "filename", "image"), "label": ("label", "class"), "split": ("split",)}
"""What a column may be called."""


def list_manifest(path: Path, *, labelled: bool = True, root: Path | None = None) -> Listing:
    """Every row; paths are relative to `root`, or to the folder the file lies in.

    DataError for a missing column, with the columns found.
    """
    root = root or path.parent
    rows: list[Row] = []
    problems: list[BadSample] = []
    seen: dict[str, tuple[int, str]] = {}
    for number, cells in _lines(path, labelled=labelled):
        row, problem = _row(path.name, number, cells, labelled=labelled)
        earlier = seen.setdefault(row.name, (number, row.label))
        if problem is None and earlier[0] != number:
            same = "again" if earlier[1] == row.label else f"as {row.label!r}, there as {earlier[1]!r}"
            problem = BadSample(
                f"{path.name} line {number}",
                f"{row.name} is in line {earlier[0]} already, here {same}",
                "keep one line",
            )
        if problem is None and not (root / row.name).is_file():
            problem = BadSample(f"{path.name} line {number}", f"no file {root / row.name}", "correct the path")
        if problem is not None:
            problems.append(problem)
        if row.label or not labelled:
            rows.append(row)  # a label counts even where its file is missing: every problem is told once
    return Listing(root=root, rows=rows, problems=problems)


def _lines(path: Path, *, labelled: bool) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, cells by the names of COLUMNS) of every line that is not empty."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(
            f"{path} is not UTF-8 text: {error.reason} at byte {error.start}", hint="save it as UTF-8"
        ) from error
    reader = csv.reader(text.splitlines(), delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        found = {key: header.index(name) for key, names in COLUMNS.items() for name in names if name in header}
        missing = [key for key in (("path", "label") if labelled else ("path",)) if key not in found]
        if missing:
            raise DataError(
                f"{path} has no column {' and '.join(missing)}; its first line has {', '.join(header) or 'nothing'}",
                hint="the first line names the columns: path,label or path,label,split",
            )
        for cells in reader:
            if cells:
                yield reader.line_num, {key: cells[at].strip() if at < len(cells) else "" for key, at in found.items()}
    except csv.Error as error:
        raise BadFile(f"{path} line {reader.line_num} is not valid CSV: {error}") from error


def _row(file: str, number: int, cells: dict[str, str], *, labelled: bool) -> tuple[Row, BadSample | None]:
    where = f"{file} line {number}"
    split = cells.get("split", "").lower()
    row = Row(cells["path"], cells.get("label", "") if labelled else "", SPLIT_FOLDERS.get(split))
    if not row.name:
        return row, BadSample(where, "the path is empty", "fill it in, or remove the line")
    if labelled and not row.label:
        return row, BadSample(where, f"{row.name} has no label", "fill it in, or remove the line")
    if split and row.split is None:
        return row, BadSample(where, f"unknown split {split!r}", f"use one of {', '.join(SPLIT_FOLDERS)}")
    if not split and "split" in cells:
        return row, BadSample(where, f"{row.name} has no split", "fill it in, or remove the column")
    return row, None
