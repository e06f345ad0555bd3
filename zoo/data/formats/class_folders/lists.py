"""Lists beside class folders that say which files are for validation and testing: testing_list.txt, val.txt."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Final

from zoo.api.data import DataNote, Split, counted
from zoo.api.errors import DataError
from zoo.data.formats.folders import hidden, is_about
from zoo.data.formats.parts import ROLES
from zoo.data.formats.samples import FileRow, Origins
from zoo.data.formats.split_names import split_of_file, split_words
from zoo.data.formats.text_files import file_text

FOLDERS: Final = ("meta", "splits", "lists")
"""Folders in which lists may lie beside the class folders."""
SUFFIXES: Final = (".txt", ".lst", ".csv")
LARGEST: Final = 200_000_000
"""Bytes of a list; a longer file is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DividedRows:
    """The files of class folders with the splits that lists beside them say."""

    rows: list[FileRow]
    origins: Origins = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    suffixes: Counter[str] = field(default_factory=Counter)
    """Those of the lists: they were read, and are not left out."""


def by_lists(root: Path, rows: Sequence[FileRow], encoding: str = "") -> DividedRows:
    """The rows, each in the split whose list names it; the others in train, where no list is for training.

    DataError where two lists name one file, and where one is no text.
    """
    keys = {_key(row.name): row.name for row in rows}
    if numbered := _by_numbers(root, rows, keys):
        return numbered
    lists = {file: names for file in _files(root) if (names := _named(file_text(file, encoding), keys))}
    if not lists:
        return DividedRows(rows=list(rows))
    splits: dict[str, tuple[Split, Path]] = {}
    origins: dict[Split | None, tuple[str, ...]] = {}
    for file, names in lists.items():
        split = split_of_file(file.stem)
        assert split is not None, "only files that are called after a split are lists"
        origins[split] = (*origins.get(split, ()), Path(os.path.relpath(file, root)).as_posix())
        for name in names:
            other, earlier = splits.setdefault(name, (split, file))
            if other != split:
                raise DataError(f"{name} is in {earlier.name} and in {file.name}", hint="keep it in one of the lists")
    complete = "train" in origins
    listed = [
        replace(row, split=splits[row.name][0] if row.name in splits else "train")
        for row in rows
        if row.name in splits or not complete
    ]
    left = len(rows) - len(listed)
    shown = ", ".join(name for names in origins.values() for name in names)
    notes: list[str] = [f"the splits are those of {shown}"]
    if left:
        message = f"left out {counted(left, 'file')} that none of {shown} names"
        notes.append(DataNote(message, kind="left-out", what="files that no list names", items=left))
    if not complete:
        origins["train"] = (".",)
    return DividedRows(
        rows=listed, origins=origins, notes=tuple(notes), suffixes=Counter(file.suffix.lower() for file in lists)
    )


def _by_numbers(root: Path, rows: Sequence[FileRow], keys: Mapping[str, str]) -> DividedRows | None:
    """CUB-200's division: images.txt numbers the files, and train_test_split.txt says 1 for those to learn from."""
    for folder in (root, root.parent):
        files = [folder / name for name in ("images.txt", "train_test_split.txt")]
        if not all(file.is_file() for file in files):
            continue
        names, marks = (dict(line.split(maxsplit=1) for line in file_text(file).splitlines() if line) for file in files)
        splits: dict[str, Split] = {
            keys[_key(name)]: "train" if marks.get(number) == "1" else "test"
            for number, name in names.items()
            if _key(name) in keys
        }
        if len(splits) == len(rows):
            where = (Path(os.path.relpath(files[1], root)).as_posix(),)
            return DividedRows(
                rows=[replace(row, split=splits[row.name]) for row in rows],
                origins={"train": where, "test": where},
                notes=(f"the splits are those of {where[0]}",),
            )
    return None


def _files(root: Path) -> list[Path]:
    """The files beside the folders that are called after a split, and those in a folder such as meta/ or splits/."""
    above = [root.parent] if ROLES.issuperset(split_words(root.name)) else []  # images/ beside meta/
    folders = [*(folder for folder in (root, *above)), *(top / name for top in (root, *above) for name in FOLDERS)]
    return [
        file
        for folder in folders
        if folder.is_dir()
        for file in sorted(folder.iterdir())
        if file.suffix.lower() in SUFFIXES
        and not (hidden(file.name) or is_about(file))
        and split_of_file(file.stem)
        and file.is_file()
        and file.stat().st_size <= LARGEST
    ]


def _named(text: str, keys: Mapping[str, str]) -> list[str]:
    """The files that the lines of a list name; none where most of the lines name no file."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    names = [name for line in lines if (name := _file_of(line, keys))]
    return names if len(names) > len(lines) / 2 else []


def _file_of(line: str, keys: Mapping[str, str]) -> str | None:
    """The file that a line names: all of the line, or what stands before its first comma, tab or blank."""
    cells = (line, line.split(",", maxsplit=1)[0], line.split("\t", maxsplit=1)[0], line.split(" ", maxsplit=1)[0])
    return next((keys[key] for cell in cells if (key := _key(cell)) in keys), None)


def _key(name: str) -> str:
    """The class and the file, whatever stands before them, without the suffix and in any case."""
    path = PurePosixPath(name.strip().strip('"').replace("\\", "/").lower())
    return PurePosixPath(*path.parts[-2:]).with_suffix("").as_posix() if path.name else ""
