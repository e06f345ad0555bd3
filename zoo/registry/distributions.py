"""What is installed, read straight from the folders of `sys.path`: `importlib.metadata` costs a third of `zoo list`.

Read here is what nearly every environment has: folders NAME-VERSION.dist-info.  Where there is anything else (an egg, a
zip file, a finder of somebody's own), and for a record that cannot be read, `importlib.metadata` is asked as ever.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution

_SEPARATORS = re.compile(r"[-_.]+")
Entries = Mapping[str, tuple[tuple[str, str], ...]]
"""The groups of an entry_points.txt, each with the names and values of its entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a distribution says of itself; empty where its METADATA does not say."""

    name: str = ""
    version: str = ""
    extras: tuple[str, ...] = ()
    """The extras that it declares."""
    requires: tuple[str, ...] = ()
    """Its requirements, those of its extras included."""


def record_folders() -> dict[str, str] | None:
    """The record of each installed distribution by its canonical name; of two, the first on `sys.path`.

    None where distributions may be anywhere else than in such folders.
    """
    if any(hasattr(finder, "find_distributions") and finder is not PathFinder for finder in sys.meta_path):
        return None
    folders: dict[str, str] = {}
    for parent in map(Path, dict.fromkeys(sys.path)):
        if not parent.is_dir():
            if parent.exists():
                return None
            continue
        for child in _children(parent):
            stem, _, ending = child.lower().rpartition(".")
            if ending == "dist-info":
                folders.setdefault(canonical(stem.partition("-")[0]), f"{parent}/{child}")
            elif ending in ("egg-info", "egg"):
                return None
    return folders


def read_entries(folder: str) -> Entries:
    """The entry points of a record; OSError or ValueError where its file cannot be read."""
    try:
        with open(f"{folder}/entry_points.txt", "rb") as file:  # noqa: PTH123  a Path for each record takes long
            content = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    if b"zoo." not in content:  # somebody else's, as nearly all are
        return {}
    entries: dict[str, tuple[tuple[str, str], ...]] = {}
    group = ""
    for line in map(str.strip, content.decode().splitlines()):
        if line.startswith("[") and line.endswith("]"):
            group = line.strip("[]")
        elif line and not line.startswith("#"):
            name, equals, value = line.partition("=")
            if not equals:
                raise ValueError(f"{line!r} is no entry point")
            entries[group] = (*entries.get(group, ()), (name.strip(), value.strip()))
    return entries


def read_metadata(folder: str) -> Metadata:
    """The METADATA of a record; OSError or ValueError where it cannot be read."""
    with Path(folder, "METADATA").open(encoding="utf-8") as file:
        fields = tuple(_fields(file))
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    return Metadata(
        name=values.get("name", [""])[0],
        version=values.get("version", [""])[0],
        extras=tuple(values.get("provides-extra", ())),
        requires=tuple(values.get("requires-dist", ())),
    )


def installed_metadata(name: str) -> Metadata | None:
    """What the distribution of this name says of itself; None where it is not installed."""
    folders = record_folders()
    if folders is not None:
        folder = folders.get(canonical(name))
        return None if folder is None else read_metadata(folder)
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415  slow to import

    try:
        return metadata_of(distribution(name))
    except PackageNotFoundError:
        return None


def metadata_of(distribution: Distribution) -> Metadata:
    """The same of a distribution that `importlib.metadata` knows."""
    record = distribution.metadata
    return Metadata(
        name=str(record["Name"] or ""),
        version=str(record["Version"] or ""),
        extras=tuple(record.get_all("Provides-Extra") or ()),
        requires=tuple(distribution.requires or ()),
    )


def canonical(name: str) -> str:
    """A distribution's or an extra's name as all its spellings have it: Zoo_Acme is zoo-acme."""
    return _SEPARATORS.sub("-", name).lower()


def _children(parent: Path) -> list[str]:
    try:
        with os.scandir(parent) as entries:
            return [entry.name for entry in entries]
    except OSError:
        return []


def _fields(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Name, in lower case, and value of each field before the description; a folded value is joined."""
    name = value = ""
    for line in lines:
        if line[:1] in (" ", "\t"):
            value = f"{value} {line.strip()}"
            continue
        if name:
            yield name.lower(), value
        if not line.strip():
            return
        name, _, value = (part.strip() for part in line.partition(":"))
    if name:
        yield name.lower(), value
