"""Texts with labels written as a table, as a table for each split, and as class folders."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from zoo.api.data import DataCard
from zoo.api.errors import DataError
from zoo.data.formats.copying import FOLDERS

TABLE: Final = "data.csv"


def write_table(card: DataCard, folder: Path) -> list[str]:
    """A table with the columns text, label and split."""
    rows = [(item.text, card.classes[item.label], split) for split, items in card.splits.items() for item in items]
    _save(folder / TABLE, ("text", "label", "split"), rows)
    return [f"the table is {TABLE} in that folder"]


def write_tables(card: DataCard, folder: Path) -> list[str]:
    """A table for each split, with the columns text and label."""
    for split, items in card.splits.items():
        rows = [(item.text, card.classes[item.label]) for item in items]
        _save(folder / f"{FOLDERS[split]}.csv", ("text", "label"), rows)
    return []


def write_text_classes(card: DataCard, folder: Path) -> list[str]:
    """A folder for each split, in it one for each class, in it a file for each text."""
    for name in card.classes:
        if "/" in name or "\0" in name or name.startswith((".", "_")) or name != name.strip():
            raise DataError(f"the class {name!r} cannot be the name of a folder", hint="convert to text-table")
    for split, items in card.splits.items():
        for number, item in enumerate(items, 1):
            file = folder / FOLDERS[split] / card.classes[item.label] / f"{number:06}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(item.text.encode())
    return []


def write_text_folder(card: DataCard, folder: Path) -> list[str]:
    """A folder for each split of running text, in it a file for each text."""
    for split, items in card.splits.items():
        (folder / FOLDERS[split]).mkdir(parents=True)
        for number, item in enumerate(items, 1):
            (folder / FOLDERS[split] / f"{number:06}.txt").write_bytes(item.text.encode())
    return []


def write_text_lines(card: DataCard, folder: Path) -> list[str]:
    """A table with a text a row and its split; DataError for running text, whose ends a cell does not keep."""
    odd = next((item for items in card.splits.values() for item in items if item.text != item.text.strip()), None)
    if odd is not None:
        raise DataError(
            f"{odd.name} begins or ends with white space, which a cell of a table does not keep",
            hint="convert to text-folder",
        )
    rows = [(item.text, split) for split, items in card.splits.items() for item in items]
    _save(folder / TABLE, ("text", "split"), rows)
    return [f"the table is {TABLE} in that folder"]


def _save(file: Path, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([header, *rows])
