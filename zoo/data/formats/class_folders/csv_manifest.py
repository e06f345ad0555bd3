"""Tables that name pictures with their labels and, if wanted, their splits: CSV, TSV, JSON Lines, lists."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from zoo.api.data import DataNote, DataRequest, Split, counted
from zoo.api.errors import BadFile, BadSample, DataError, UsageError
from zoo.data.formats.class_folders.manifest_columns import SOME, BoxTable, manifest_columns
from zoo.data.formats.class_folders.table_files import Files, load_table, table_files
from zoo.data.formats.columns import (
    Columns,
)
from zoo.data.formats.folders import LOOK_AT, PICTURES, walk
from zoo.data.formats.samples import FileListing, FileRow
from zoo.data.formats.split_names import exact_split
from zoo.data.formats.tables import TableRow
from zoo.data.formats.text_files import encoding_of


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
        message = f"left out {counted(len(left), 'picture')} that {names} does not name, such as {left[0]}"
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
    columns, folder = manifest_columns(path, table, files, labelled=labelled, request=request)
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
    manifest.notes += [*table.notes, *columns.notes]
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
        columns, below = manifest_columns(path, table, files, labelled=labelled, request=request)
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
