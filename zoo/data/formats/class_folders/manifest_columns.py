"""Which columns of a table hold paths, labels and splits, and the folder that the paths start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from zoo.api.data import DataRequest
from zoo.api.errors import DataError
from zoo.data.formats.class_folders.table_files import Files
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
from zoo.data.formats.folders import PICTURES, subfolders
from zoo.data.formats.tables import Table

SOME: Final = 20
"""Rows whose files are looked for to see which column holds paths."""
BOX_COLUMNS: Final = ({"xmin", "ymin", "xmax", "ymax"}, {"bbox"}, {"x_min", "y_min"}, {"xmin", "xmax"})
"""Columns that a table of boxes has."""


class BoxTable(DataError):
    """A table of boxes, given for one of labels."""


def manifest_columns(
    path: Path, table: Table, files: Files, *, labelled: bool, request: DataRequest | None
) -> tuple[Columns, str]:
    """The columns, and the folder below the root that the paths start from, with its slash.

    DataError where a column is missing, and where the table is one of boxes.
    """
    names = [cell.strip().lower() for cell in table.first]
    kinds = ("path", "label") if labelled else ("path",)
    asked = asked_columns(path.name, names, request) if labelled else {}
    asked.pop("text", None)
    if labelled and not asked:
        _refuse_boxes(path, names)
    of = {**named_columns(path.name, names, [kind for kind in kinds if kind not in asked]), **asked}
    header = bool(set(of) - set(asked)) or "split" in names
    found = _path_column(of, table.columns(header=header), files, _below(path, files))
    folder = ""
    if found is not None:
        of["path"], folder = found.index, found.folder
        header = header or files.find(folder + table.first[found.index].strip()) is None
    columns = table.columns(header=header)
    split = split_column(names, columns) if header else unnamed_split_column(columns)
    labels = _Labels()
    if labelled and "path" in of and "label" not in of:
        rest = [index for index in range(len(columns)) if index not in (of["path"], split)]
        labels = _label_column(path, table, columns, rest, header=header)
        of |= {"label": labels.index} if labels.index is not None else {}
    missing = [kind for kind in kinds if kind not in of and not (kind == "label" and labels.marks)]
    if missing:
        raise DataError(
            f"{path} has no column {' and '.join(missing)}; its first line has {few(names)}",
            hint="the first line names the columns: path,label or path,label,split; --label-column names another",
        )
    unnamed = [] if header or table.is_list else [f"{path.name} has no line of column names"]
    known = {**of, **({"split": split} if split is not None else {})}
    return Columns(of=known, header=header, notes=[*unnamed, *labels.notes], marks=labels.marks), folder


def _refuse_boxes(path: Path, names: Sequence[str]) -> None:
    match = next((columns for columns in BOX_COLUMNS if columns <= set(names)), None)
    if match:
        raise BoxTable(
            f"{path} looks like data for object-detection: it has the column {', '.join(sorted(match))}",
            hint="write the boxes as COCO, YOLO or Pascal VOC for a detector, or say which column is the class of the "
            "whole picture: --label-column NAME",
        )


@dataclass(frozen=True, slots=True)
class _Paths:
    """The column of paths, and the folder that they start from."""

    index: int
    folder: str


def _path_column(of: Mapping[str, int], columns: Sequence[Sequence[str]], files: Files, below: str) -> _Paths | None:
    """The column that is called so, else the only one whose cells lead to files; None where there are more or none."""
    if "path" in of:
        return _Paths(of["path"], _folder(columns[of["path"]], files, below) or "")
    folders = {index: _folder(cells, files, below) for index, cells in enumerate(columns)}
    paths = [_Paths(index, folder) for index, folder in folders.items() if folder is not None]
    if len(paths) > 1:  # a label may be called as a file is without its suffix
        sure = [path for path in paths if _have_suffixes(columns[path.index])]
        paths = sure or [path for path in paths if len(set(columns[path.index])) == len(columns[path.index])]
    return paths[0] if len(paths) == 1 else None


@dataclass(frozen=True, slots=True)
class _Labels:
    """The column of labels, or the columns of which one has a 1; neither where nothing says which."""

    index: int | None = None
    marks: Mapping[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def _label_column(
    path: Path, table: Table, columns: Sequence[Sequence[str]], rest: Sequence[int], *, header: bool
) -> _Labels:
    """The labels among the columns that hold nothing else."""
    marks = one_hot(rest, [cell.strip() for cell in table.first], columns) if header else {}
    if marks:
        shown = ", ".join(marks.values())
        return _Labels(
            marks=marks, notes=(f"the columns {shown} of {path.name} are the classes: the one with a 1 counts",)
        )
    left = [index for index in rest if table.is_list or repeated(columns[index])]
    if len(left) != 1:
        return _Labels()
    name = table.first[left[0]].strip().lower()
    shown = repr(name) if header else f"number {left[0] + 1}"
    said = () if table.is_list else (f"the column {shown} of {path.name} is taken for the label",)
    return _Labels(index=left[0], notes=said)


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
