"""Tables that name pictures with their labels and, if wanted, their splits: CSV, TSV, JSON Lines, lists."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Final

from zoo.api.data import DataNote, DataRequest, Split
from zoo.api.errors import BadFile, BadSample, DataError, UsageError
from zoo.data.formats.class_folders.table_files import Files, load_table, table_files
from zoo.data.formats.columns import (
    Columns,
    asked_columns,
    few,
    named_columns,
    one_hot,
    repeated,
    split_column,
    unnamed_split_column,
)
from zoo.data.formats.folders import LOOK_AT, PICTURES, subfolders, walk
from zoo.data.formats.samples import FileListing, FileRow
from zoo.data.formats.split_names import exact_split
from zoo.data.formats.tables import Table, TableRow
from zoo.data.formats.text_files import encoding_of

SOME: Final = 20
"""Rows whose files are looked for to see which column holds paths."""
BOX_COLUMNS: Final = ({"xmin", "ymin", "xmax", "ymax"}, {"bbox"}, {"x_min", "y_min"}, {"xmin", "xmax"})
"""Columns that a table of boxes has."""


@dataclass(slots=True)
class Manifest:
    """What the tables of a source say, as it is read one after the other."""

    rows: list[FileRow] = field(default_factory=list)
    problems: list[BadSample] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seen: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Where each picture is named, and its label."""
    origins: dict[Split | None, tuple[str, ...]] = field(default_factory=dict)


def list_manifest(path: Path, *, labelled: bool = True, request: DataRequest | None = None) -> FileListing:
    """Every row of a table, or of those of a folder; paths are relative to --data-root, to the table, or to the only
    folder beside it that has them.

    DataError where nothing says which column holds what.
    """
    root = (request.root if request else None) or (path if path.is_dir() else path.parent)
    tables = manifest_tables(path, request, labelled=labelled) if path.is_dir() else [(path, None)]
    manifest = Manifest()
    for file, split in tables:
        _read(manifest, file, split, Files(root, {}), labelled=labelled, request=request)
    whole = request is not None and Path(request.source).expanduser().is_dir()
    left = _not_named(root, {row.name for row in manifest.rows}, whole=whole)
    if left:
        names = " and ".join(file.name for file, _ in tables[:3])
        message = f"left out {len(left):,} pictures that {names} does not name, such as {left[0]}"
        note = DataNote(message, kind="left-out", what="pictures that no row names", items=len(left), examples=left[:5])
        manifest.notes.append(note)
    return FileListing(
        root=root,
        rows=manifest.rows,
        problems=manifest.problems,
        notes=manifest.notes,
        origins=manifest.origins,
    )


def _read(
    manifest: Manifest, path: Path, split: Split | None, files: Files, *, labelled: bool, request: DataRequest | None
) -> None:
    """Add every row of one table."""
    table = load_table(path, encoding_of(request))
    columns, folder = _columns(path, table, files, labelled=labelled, request=request)
    shown = path.relative_to(files.root).as_posix() if path.is_relative_to(files.root) else path.name
    manifest.problems += table.problems
    for line in table.rows[int(columns.header) :]:
        where = f"{shown} line {line.last}"
        row, problem = _row(where, line, columns, labelled=labelled)
        name = files.find(folder + row.name)
        row = FileRow(name or row.name, row.label, row.split or split)
        earlier, label = manifest.seen.setdefault(row.name, (where, row.label))
        if problem is None and earlier != where:
            same = "again" if label == row.label else f"as {row.label!r}, there as {label!r}"
            place = earlier.removeprefix(f"{shown} ")
            problem = BadSample(where, f"{row.name} is in {place} already, here {same}", "keep one line")
        if problem is None and name is None:
            problem = BadSample(where, f"no file {files.root / folder / row.name}", "correct the path")
        if problem is not None:
            manifest.problems.append(problem)
        if row.label or not labelled:
            manifest.rows.append(row)  # a label counts even where its file is missing: every problem is told once
    manifest.notes += columns.notes
    if folder:
        manifest.notes.append(f"the paths of {shown} are read below {folder}")
    manifest.origins[split] = (*manifest.origins.get(split, ()), shown)


def manifest_tables(folder: Path, request: DataRequest | None, *, labelled: bool) -> list[tuple[Path, Split | None]]:
    """The tables of a folder that name its pictures, with their splits; DataError where they do not make one source."""
    asked = request or DataRequest(source=str(folder))
    tables = [
        (file, split) for file, split in table_files(folder) if names_pictures(file, asked, folder, labelled=labelled)
    ]
    splits = [split for _, split in tables]
    if len(tables) == 1:
        return [(tables[0][0], None if splits[0] == "train" else splits[0])]
    known = "train" in splits and None not in splits
    if tables and not (known and len(set(splits)) == len(splits)):
        names = " and ".join(file.relative_to(folder).as_posix() for file, _ in tables)
        raise DataError(
            f"{folder} holds {names}, which all name its pictures",
            hint="give the one that counts, or call them after splits: train.csv, val.csv, test.csv",
        )
    return tables


def names_pictures(path: Path, request: DataRequest, folder: Path, *, labelled: bool = True) -> bool:
    """Whether a table has a column of paths, which lead to files, and one of labels.

    DataError where the paths are those of pictures with boxes.
    """
    try:
        table = load_table(path, request.encoding)
        files = Files(request.root or folder, {})
        columns, below = _columns(path, table, files, labelled=labelled, request=request)
    except (UsageError, BadFile):
        return False
    except BoxTable:
        raise
    except DataError:
        return False
    cells = [row.cells[columns.of["path"]] for row in table.rows[int(columns.header) :][:SOME] if len(row.cells) > 1]
    return any(files.find(below + cell.strip()) for cell in cells)


def list_unlabelled(path: Path, *, request: DataRequest | None = None) -> FileListing:
    """The same of a table whose rows need no label."""
    return list_manifest(path, labelled=False, request=request)


class BoxTable(DataError):
    """A table of boxes, given for one of labels."""


def _refuse_boxes(path: Path, names: Sequence[str]) -> None:
    match = next((columns for columns in BOX_COLUMNS if columns <= set(names)), None)
    if match:
        raise BoxTable(
            f"{path} looks like data for object-detection: it has the column {', '.join(sorted(match))}",
            hint="write the boxes as COCO, YOLO or Pascal VOC for a detector, or say which column is the class of the "
            "whole picture: --label-column NAME",
        )


def _columns(
    path: Path, table: Table, files: Files, *, labelled: bool, request: DataRequest | None
) -> tuple[Columns, str]:
    """The columns, and the folder below the root that the paths start from, with its slash."""
    names = [cell.strip().lower() for cell in table.first]
    kinds = ("path", "label") if labelled else ("path",)
    asked = asked_columns(path.name, names, request) if labelled else {}
    asked.pop("text", None)
    if labelled and not asked:
        _refuse_boxes(path, names)
    of = {
        **named_columns(path.name, names, [kind for kind in kinds if kind not in asked]),
        **asked,
    }
    header = bool(set(of) - set(asked)) or "split" in names
    columns = table.columns(header=header)
    below = _below(path, files)
    if "path" in of:
        paths = {of["path"]: _folder(columns[of["path"]], files, below) or ""}
    else:
        folders = {index: _folder(cells, files, below) for index, cells in enumerate(columns)}
        paths = {index: folder for index, folder in folders.items() if folder is not None}
        if len(paths) > 1:  # a label may be called as a file is without its suffix
            sure = {index: folder for index, folder in paths.items() if _have_suffixes(columns[index])}
            each = {index: folder for index, folder in paths.items() if len(set(columns[index])) == len(columns[index])}
            paths = sure or each
    folder = ""
    if len(paths) == 1:
        ((of["path"], folder),) = paths.items()
        header = header or files.find(folder + table.first[of["path"]].strip()) is None
        columns = table.columns(header=header)
    split = split_column(names, columns) if header else unnamed_split_column(columns)
    notes = [] if header or table.is_list or "path" not in of else [f"{path.name} has no line of column names"]
    marks: Mapping[int, str] = {}
    if labelled and "path" in of and "label" not in of:
        rest = [index for index in range(len(columns)) if index not in (of["path"], split)]
        marks = one_hot(rest, [cell.strip() for cell in table.first], columns) if header else {}
        left = [index for index in rest if table.is_list or repeated(columns[index])]
        if marks:
            shown = ", ".join(marks.values())
            notes.append(f"the columns {shown} of {path.name} are the classes: the one with a 1 counts")
        elif len(left) == 1:
            of["label"] = left[0]
            shown = repr(names[left[0]]) if header else f"number {left[0] + 1}"
            notes += [] if table.is_list else [f"the column {shown} of {path.name} is taken for the label"]
    missing = [kind for kind in kinds if kind not in of and not (kind == "label" and marks)]
    if missing:
        raise DataError(
            f"{path} has no column {' and '.join(missing)}; its first line has {few(names)}",
            hint="the first line names the columns: path,label or path,label,split; --label-column names another",
        )
    known = {**of, **({"split": split} if split is not None else {})}
    return Columns(of=known, header=header, notes=notes, marks=marks), folder


def _below(path: Path, files: Files) -> str:
    """The folder of a table below the root, with its slash; empty where it is the root or not below it."""
    if not path.is_relative_to(files.root) or path.parent == files.root:
        return ""
    return f"{path.parent.relative_to(files.root).as_posix()}/"


def _have_suffixes(cells: Sequence[str]) -> bool:
    return all(Path(cell).suffix.lower() in PICTURES for cell in cells[:SOME])


def _are_files(cells: Sequence[str], files: Files) -> bool:
    sample = list(islice(cells, SOME))
    return bool(sample) and sum(files.find(cell) is not None for cell in sample) > len(sample) / 2


def _folder(cells: Sequence[str], files: Files, below: str) -> str | None:
    """Where the files of a column lie: "" for the root, "train/" for the only folder that has them, or None."""
    if _are_files(cells, files):
        return ""
    if below:
        return below if _are_files([f"{below}{cell}" for cell in cells], files) else None
    folders = [name for name in subfolders(files.root) if _are_files([f"{name}/{cell}" for cell in cells], files)]
    return f"{folders[0]}/" if len(folders) == 1 else None


def _row(where: str, line: TableRow, columns: Columns, *, labelled: bool) -> tuple[FileRow, BadSample | None]:
    cells = {kind: line.cells[at].strip() if at < len(line.cells) else "" for kind, at in columns.of.items()}
    split = cells.get("split", "")
    marked = [
        name for at, name in columns.marks.items() if at < len(line.cells) and line.cells[at].strip() not in "0.0"
    ]
    label = cells.get("label", "") if not columns.marks else "".join(marked[:1])
    row = FileRow(cells["path"], unicodedata.normalize("NFC", label) if labelled else "", exact_split(split))
    if not row.name:
        return row, BadSample(where, "the path is empty", "fill it in")
    if len(marked) > 1:
        reason = f"{row.name} is marked as {' and '.join(marked)}"
        return replace(row, label=""), BadSample(where, reason, "mark one class: zoo learns one label a picture")
    if labelled and not row.label:
        return row, BadSample(where, f"{row.name} has no label", "fill it in")
    if split and row.split is None:
        return row, BadSample(where, f"unknown split {split!r}", "use one of train, validation, test")
    if not split and "split" in cells:
        return row, BadSample(where, f"{row.name} has no split", "fill it in")
    return row, None


def _not_named(root: Path, named: set[str], *, whole: bool) -> list[str]:
    """Pictures that no row names: of the whole root, or of the folders in which named ones lie."""
    if not named:
        return []
    folders = {Path(name).parent for name in named}
    names = islice(walk(root, root), LOOK_AT) if whole else _direct(root, folders)
    return [
        name for name, hidden in names if not hidden and name not in named and Path(name).suffix.lower() in PICTURES
    ]


def _direct(root: Path, folders: set[Path]) -> Iterator[tuple[str, bool]]:
    for folder in sorted(folders):
        for entry in sorted((root / folder).iterdir()) if (root / folder).is_dir() else ():
            yield (folder / entry.name).as_posix(), entry.name.startswith(".")
