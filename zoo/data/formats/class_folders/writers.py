"""Labelled pictures written as class folders and as a table; reading them again gives the same labels."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path, PurePosixPath
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


def write_identities(card: DataCard, folder: Path) -> list[str]:
    """A folder for each split, and in it one for each identity, called as the folder that its files lie in."""
    names = _identity_names(card)
    for copy in copies(card):
        target = folder / FOLDERS[copy.split] / names[copy.sample.label] / copy.name
        copy_file(card, copy.sample.name, target)
    return ["pairs to verify were not written: those of the test split are all of its files"] if _paired(card) else []


def _identity_names(card: DataCard) -> dict[int, str]:
    """A name for each number of an identity, no two the same."""
    folders: dict[int, set[str]] = {}
    for items in card.splits.values():
        for sample in items:
            folders.setdefault(sample.label, set()).add(PurePosixPath(sample.name).parent.name)
    names = {label: next(iter(found)) if len(found) == 1 else "" for label, found in folders.items()}
    used = Counter(names.values())
    return {label: name if name and used[name] == 1 else f"identity-{label:05}" for label, name in names.items()}


def _paired(card: DataCard) -> bool:
    return bool(card.facts.get("pairs"))


def write_recordings(card: DataCard, folder: Path) -> list[str]:
    """A folder for each split with its recordings, as they are."""
    for copy in copies(card):
        copy_file(card, copy.sample.name, folder / FOLDERS[copy.split] / copy.name)
    return ["the classes of the recordings were not written: wav-classes keeps them"] if card.classes else []


def write_recording_classes(card: DataCard, folder: Path) -> list[str]:
    """A folder for each split, and in it one for each class; DataError for recordings that are of none."""
    if not card.classes:
        raise DataError(
            f"the recordings of {card.source.request.source} are of no classes", hint="convert to wav-folder"
        )
    return write_class_folders(card, folder)


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
