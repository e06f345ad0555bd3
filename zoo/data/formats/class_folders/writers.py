"""Labelled pictures written as class folders and as a table; reading them again gives the same labels."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from zoo.api.data import DataCard
from zoo.api.errors import DataError
from zoo.data.formats.copying import FOLDERS, copies, copy_file

TABLE: Final = "data.csv"


def write_class_folders(card: DataCard, folder: Path) -> list[str]:
    """A folder for each split, and in it one for each class; DataError for a class that cannot name a folder."""
    for name in card.classes:
        if "/" in name or "\0" in name or name.startswith((".", "_")) or name != name.strip():
            raise DataError(f"the class {name!r} cannot be the name of a folder", hint="convert to csv, or rename it")
    for copy in copies(card):
        target = folder / FOLDERS[copy.split] / card.classes[copy.sample.label] / copy.name
        copy_file(card, copy.sample.name, target)
    return []


def write_manifest(card: DataCard, folder: Path) -> list[str]:
    """images/ and a table with the columns path, label and split."""
    rows = []
    for copy in copies(card):
        path = f"images/{copy.name}"
        copy_file(card, copy.sample.name, folder / path)
        rows.append((path, card.classes[copy.sample.label], copy.split))
    with (folder / TABLE).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label", "split"), *rows])
    return [f"the table is {TABLE} in that folder"]
