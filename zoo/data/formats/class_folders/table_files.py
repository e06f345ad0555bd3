"""Which tables of a source name its pictures, and the files that their paths mean."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zoo.api.data import Split
from zoo.api.errors import BadSample
from zoo.data.formats.columns import known_names
from zoo.data.formats.folders import PICTURES, folded, hidden, is_about, subfolders
from zoo.data.formats.split_names import split_of_file, splits_of_folders
from zoo.data.formats.tables import Table, TableRow, parse_table
from zoo.data.formats.text_files import file_text

JSON_LINES: Final = (".jsonl", ".ndjson")
LISTS: Final = (".txt", ".lst")
"""A path and a label a line, with a blank between them."""
TABLES: Final = (".csv", ".tsv", *JSON_LINES)
MAX_NAME_CHARS: Final = 4_000
"""Characters of a path; a longer text is none."""
MOST_TABLES: Final = 20
"""More files of one kind in a folder are samples of their own, and no tables of others."""


@dataclass(slots=True)
class Files:
    """Finds files below a root as a table names them: in any case, in any form of Unicode, and without their suffix."""

    root: Path
    folders: dict[Path, dict[str, list[str]]]
    """Names in a folder by what is the same in every spelling, remembered."""

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
        parent = self._folder(path.parent)
        if parent is None:
            return None
        known = self._names(self.root / parent)
        low = folded(path.name)
        spellings = [low, *(f"{low}{suffix}" for suffix in PICTURES if path.suffix.lower() not in PICTURES)]
        files = [name for spelling in spellings for name in known.get(spelling, ())]
        return (parent / files[0]).as_posix() if len(files) == 1 else None

    def _folder(self, folder: Path) -> Path | None:
        """A folder below the root as it is spelt there."""
        if folder.is_absolute() or (self.root / folder).is_dir():
            return folder
        parent = self._folder(folder.parent)
        names = [] if parent is None else self._names(self.root / parent).get(folded(folder.name), [])
        return parent / names[0] if parent is not None and len(names) == 1 else None

    def _names(self, folder: Path) -> dict[str, list[str]]:
        if folder not in self.folders:
            names: dict[str, list[str]] = {}
            for entry in folder.iterdir() if folder.is_dir() else ():
                names.setdefault(folded(entry.name), []).append(entry.name)
            self.folders[folder] = names
        return self.folders[folder]


def table_files(folder: Path) -> list[tuple[Path, Split | None]]:
    """The tables of a folder, or of the folders of its splits, with the split that their names say."""
    own: list[tuple[Path, Split | None]] = [(file, split_of_file(file.stem)) for file in _tables_in(folder, TABLES)]
    if own:
        return own
    splits = splits_of_folders(subfolders(folder))
    inside: list[tuple[Path, Split | None]] = [
        (file, split) for name, split in splits.items() for file in _tables_in(folder / name, TABLES)
    ]
    return inside or [(file, split_of_file(file.stem)) for file in _tables_in(folder, LISTS)]


def _tables_in(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    tables = [
        entry
        for entry in sorted(folder.iterdir())
        if entry.suffix.lower() in suffixes and not (hidden(entry.name) or is_about(entry)) and entry.is_file()
    ]
    return tables if len(tables) <= MOST_TABLES else []


def load_table(path: Path, encoding: str = "") -> Table:
    """Every row of a table of pictures; BadFile where the file is no text."""
    text = file_text(path, encoding)
    if path.suffix.lower() in JSON_LINES:
        return _of_json_lines(text, path.name)
    if path.suffix.lower() in LISTS:
        return _of_list(text, path.name)
    return parse_table(text, name=path.name, suffix=path.suffix, known=known_names("path", "label", "split"))


def _of_json_lines(text: str, name: str) -> Table:
    """JSON Lines as a table whose first row has the names of all fields."""
    records: list[tuple[int, dict[str, str]]] = []
    problems: list[BadSample] = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            record = json.loads(line) if line.strip() else {}
        except (ValueError, RecursionError) as error:
            problems.append(BadSample(f"{name} line {number}", f"not valid JSON: {error}", "correct the line"))
            continue
        if not isinstance(record, dict):
            problems.append(BadSample(f"{name} line {number}", "not a JSON object", "correct the line"))
        elif record:
            records.append((number, {str(key): _cell(value) for key, value in record.items()}))
    names = list(dict.fromkeys(key for _, record in records for key in record))
    rows = [TableRow(number, number, [record.get(key, "") for key in names]) for number, record in records]
    return Table(name=name, separator=",", rows=[TableRow(0, 0, names), *rows] if rows else [], problems=problems)


def _cell(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def _of_list(text: str, name: str) -> Table:
    """Lines such as `images/1.jpg 3`: what stands behind the last blank is the label."""
    rows = [
        TableRow(number, number, line.rsplit(maxsplit=1))
        for number, line in enumerate(text.split("\n"), 1)
        if line.strip()
    ]
    return Table(name=name, separator=" ", rows=rows)
