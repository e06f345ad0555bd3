"""A CSV or TSV file that names pictures with their labels and, if wanted, their splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from zoo.api.data import DataRequest
from zoo.api.errors import BadFile, BadSample, DataError, UsageError
from zoo.data.formats.columns import (
    Columns,
    asked_columns,
    few,
    known_names,
    named_columns,
    repeated,
    split_column,
    unnamed_split_column,
)
from zoo.data.formats.folders import PICTURES, subfolders
from zoo.data.formats.samples import FileListing, FileRow
from zoo.data.formats.split_names import exact_split
from zoo.data.formats.tables import Table, TableRow, parse_table
from zoo.data.formats.text_files import decode_file

MAX_NAME_CHARS: Final = 4_000
"""Characters of a path; a longer text is none."""
SOME: Final = 20
"""Rows whose files are looked for to see which column holds paths."""


@dataclass(slots=True)
class Files:
    """Finds files below a root as a table names them: in any case, and without their suffix."""

    root: Path
    folders: dict[Path, dict[str, list[str]]]
    """Names in a folder by their lower case, remembered."""

    def find(self, name: str) -> str | None:
        """The path below the root; None where no file, or more than one, may be meant."""
        if not 0 < len(name) <= MAX_NAME_CHARS or "\0" in name:
            return None
        path = Path(name.replace("\\", "/"))
        try:
            if (self.root / path).is_file():
                return path.as_posix()
        except OSError:  # a part of it is longer than a file's name may be
            return None
        folder = self.root / path.parent
        if folder not in self.folders:
            names: dict[str, list[str]] = {}
            for entry in folder.iterdir() if folder.is_dir() else ():
                names.setdefault(entry.name.lower(), []).append(entry.name)
            self.folders[folder] = names
        known = self.folders[folder]
        low = path.name.lower()
        spellings = [low, *(f"{low}{suffix}" for suffix in PICTURES if path.suffix.lower() not in PICTURES)]
        files = [name for spelling in spellings for name in known.get(spelling, ())]
        return (path.parent / files[0]).as_posix() if len(files) == 1 else None


def list_manifest(path: Path, *, labelled: bool = True, request: DataRequest | None = None) -> FileListing:
    """Every row; paths are relative to --data-root, to the folder the file lies in, or to the one folder beside it.

    DataError where nothing says which column holds what.
    """
    table = _table(path)
    files = Files((request.root if request else None) or path.parent, {})
    columns, folder = _columns(path, table, files, labelled=labelled, request=request)
    rows: list[FileRow] = []
    problems: list[BadSample] = [*table.problems]
    seen: dict[str, tuple[int, str]] = {}
    for line in table.rows[int(columns.header) :]:
        row, problem = _row(path.name, line, columns.of, labelled=labelled)
        name = files.find(folder + row.name)
        row = FileRow(name or row.name, row.label, row.split)
        earlier = seen.setdefault(row.name, (line.last, row.label))
        where = f"{path.name} line {line.last}"
        if problem is None and earlier[0] != line.last:
            same = "again" if earlier[1] == row.label else f"as {row.label!r}, there as {earlier[1]!r}"
            problem = BadSample(where, f"{row.name} is in line {earlier[0]} already, here {same}", "keep one line")
        if problem is None and name is None:
            problem = BadSample(where, f"no file {files.root / folder / row.name}", "correct the path")
        if problem is not None:
            problems.append(problem)
        if row.label or not labelled:
            rows.append(row)  # a label counts even where its file is missing: every problem is told once
    notes = list(columns.notes)
    if folder:
        notes.append(f"the paths of {path.name} are read below {folder}")
    return FileListing(root=files.root, rows=rows, problems=problems, notes=notes, origins={None: (path.name,)})


def names_pictures(path: Path, request: DataRequest) -> bool:
    """Whether a table has a column of paths, which lead to files, and one of labels."""
    try:
        table = _table(path)
        files = Files(request.root or path.parent, {})
        columns, folder = _columns(path, table, files, labelled=True, request=request)
    except UsageError:
        return False
    cells = [row.cells[columns.of["path"]] for row in table.rows[int(columns.header) :][:SOME] if len(row.cells) > 1]
    return any(files.find(folder + cell.strip()) for cell in cells)


def list_unlabelled(path: Path, *, request: DataRequest | None = None) -> FileListing:
    """The same of a table whose rows need no label."""
    return list_manifest(path, labelled=False, request=request)


def _table(path: Path) -> Table:
    text = decode_file(path, path.name)
    if isinstance(text, BadSample):
        raise BadFile(f"{path} is {text.reason}", hint=text.fix)
    return parse_table(text, name=path.name, suffix=path.suffix, known=known_names("path", "label", "split"))


def _columns(
    path: Path, table: Table, files: Files, *, labelled: bool, request: DataRequest | None
) -> tuple[Columns, str]:
    """The columns, and the folder below the root that the paths start from, with its slash."""
    folder = ""
    names = [cell.strip().lower() for cell in table.first]
    kinds = ("path", "label") if labelled else ("path",)
    asked = asked_columns(path.name, names, request) if labelled else {}
    asked.pop("text", None)
    of = {
        **named_columns(path.name, names, [kind for kind in kinds if kind not in asked]),
        **asked,
    }
    header = bool(set(of) - set(asked)) or "split" in names
    columns = table.columns(header=header)
    if "path" in of:
        paths = {of["path"]: _folder(columns[of["path"]], files) or ""}
    else:
        folders = {index: _folder(cells, files) for index, cells in enumerate(columns)}
        paths = {index: below for index, below in folders.items() if below is not None}
    if len(paths) == 1:
        ((of["path"], folder),) = paths.items()
        header = header or files.find(folder + table.first[of["path"]].strip()) is None
        columns = table.columns(header=header)
    split = split_column(names, columns) if header else unnamed_split_column(columns)
    notes = [] if header or "path" not in of else [f"{path.name} has no line of column names"]
    if labelled and "path" in of and "label" not in of:
        left = [index for index in range(len(columns)) if index not in (of["path"], split) and repeated(columns[index])]
        of |= {"label": left[0]} if len(left) == 1 else {}
        shown = repr(names[left[0]]) if left and header else f"number {left[0] + 1}" if left else ""
        notes += [f"the column {shown} of {path.name} is taken for the label"] if len(left) == 1 else []
    missing = [kind for kind in kinds if kind not in of]
    if missing:
        raise DataError(
            f"{path} has no column {' and '.join(missing)}; its first line has {few(names)}",
            hint="the first line names the columns: path,label or path,label,split; --label-column names another",
        )
    return Columns(of={**of, **({"split": split} if split is not None else {})}, header=header, notes=notes), folder


def _are_files(cells: Sequence[str], files: Files) -> bool:
    sample = list(islice(cells, SOME))
    return bool(sample) and sum(files.find(cell) is not None for cell in sample) > len(sample) / 2


def _folder(cells: Sequence[str], files: Files) -> str | None:
    """Where the files of a column lie: "" for the root, "train/" for the only folder that has them, or None."""
    if _are_files(cells, files):
        return ""
    folders = [name for name in subfolders(files.root) if _are_files([f"{name}/{cell}" for cell in cells], files)]
    return f"{folders[0]}/" if len(folders) == 1 else None


def _row(file: str, line: TableRow, columns: Mapping[str, int], *, labelled: bool) -> tuple[FileRow, BadSample | None]:
    where = f"{file} line {line.last}"
    cells = {kind: line.cells[at].strip() if at < len(line.cells) else "" for kind, at in columns.items()}
    split = cells.get("split", "")
    row = FileRow(cells["path"], cells.get("label", "") if labelled else "", exact_split(split))
    if not row.name:
        return row, BadSample(where, "the path is empty", "fill it in")
    if labelled and not row.label:
        return row, BadSample(where, f"{row.name} has no label", "fill it in")
    if split and row.split is None:
        return row, BadSample(where, f"unknown split {split!r}", "use one of train, validation, test")
    if not split and "split" in cells:
        return row, BadSample(where, f"{row.name} has no split", "fill it in")
    return row, None
