"""Names and colours of the classes of masks, from the files that tools write beside them."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zoo.api.errors import BadSample
from zoo.data.formats.masks.masks import Colour
from zoo.data.formats.text_files import file_text

IGNORE: Final = 255
"""The number, and class, of pixels that are left open."""
OPEN: Final = frozenset({"__ignore__", "ignore", "void", "unlabeled", "unlabelled"})
"""Names of colours that leave pixels open."""
RGB: Final = re.compile(r"\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*")


@dataclass(frozen=True, slots=True)
class ClassTable:
    """What a file says about the classes."""

    names: tuple[str, ...] = ()
    """In the order of their numbers; empty where nothing names them."""
    colours: tuple[tuple[Colour, int], ...] = ()
    problems: tuple[BadSample, ...] = ()


Entry = tuple[str, int | None, Colour | None]
"""A name, the number that stands for it in the masks, its colour; None where the file does not say it."""


def class_table(root: Path, encoding: str = "") -> ClassTable:
    """The table of a folder, or of its training folder; empty without such a file."""
    for folder in (root, *(subfolder for subfolder in sorted(root.iterdir()) if subfolder.is_dir())):
        files = {file.name.lower(): file for file in sorted(folder.iterdir()) if file.is_file()}
        for name, read in READERS.items():
            if name in files:
                return _table(files[name], list(read(_lines(files[name], encoding))))
    return ClassTable()


def _lines(file: Path, encoding: str) -> list[str]:
    lines = [line.strip() for line in file_text(file, encoding).splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _plain(lines: list[str]) -> Iterator[Entry]:
    """A name a line; CVAT's labelmap writes name:r,g,b:parts:actions."""
    for line in lines:
        name, _, rest = line.partition(":")
        rgb = RGB.fullmatch(rest.partition(":")[0])
        yield name.strip(), None, (int(rgb[1]), int(rgb[2]), int(rgb[3])) if rgb else None


def _class_dict(lines: list[str]) -> Iterator[Entry]:
    """name,r,g,b."""
    for cells in csv.reader(lines[1:]):
        if len(cells) > 3:
            yield cells[0].strip(), None, (int(cells[1]), int(cells[2]), int(cells[3]))


def _label_colors(lines: list[str]) -> Iterator[Entry]:
    """CamVid's `64 128 64  Animal`."""
    for line in lines:
        cells = line.split(maxsplit=3)
        if len(cells) > 3:
            yield cells[3].strip(), None, (int(cells[0]), int(cells[1]), int(cells[2]))


def _pixel_values(lines: list[str]) -> Iterator[Entry]:
    """Roboflow's `Pixel Value, Class`."""
    for cells in csv.reader(lines[1:]):
        if len(cells) > 1:
            yield cells[1].strip(), int(cells[0]), None


def _object_info(lines: list[str]) -> Iterator[Entry]:
    """ADE20K's `Idx Ratio Train Val Stuff Name`; 0 is what none of the classes covers."""
    yield "other", 0, None
    for line in lines[1:]:
        cells = line.split("\t")
        if len(cells) > 1 and cells[0].isdecimal():
            yield cells[-1].partition(",")[0].strip(), int(cells[0]), None


READERS: Final[dict[str, Callable[[list[str]], Iterator[Entry]]]] = {
    **dict.fromkeys(("classes.txt", "labelmap.txt", "class_names.txt", "labels.txt"), _plain),
    "class_dict.csv": _class_dict,
    "label_colors.txt": _label_colors,
    "_classes.csv": _pixel_values,
    "objectinfo150.txt": _object_info,
}
"""Readers by the names of the files, the first that is there counts."""


def _table(file: Path, entries: list[Entry]) -> ClassTable:
    numbered = [entry for entry in entries if entry[1] is not None]
    if numbered:
        entries = sorted(numbered, key=lambda entry: entry[1] or 0)
    names = [name for name, _, _ in entries if name.lower() != "__ignore__"]
    if any(colour for _, _, colour in entries):
        names = [name for name in names if name.lower() not in OPEN]
    problems = [
        BadSample(file.name, f"it names the class {name!r} twice", "give every class its own name")
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    if not names:
        problems.append(BadSample(file.name, "it names no class", "write one name a line"))
    if numbered and [number for _, number, _ in entries] != list(range(len(entries))):
        problems.append(BadSample(file.name, "its numbers are not 0, 1, 2, …", "number the classes from 0 on"))
    colours = tuple(
        (colour, names.index(name) if name in names else IGNORE) for name, _, colour in entries if colour is not None
    )
    shared = [colour for colour, _ in colours]
    twice = next((colour for colour in shared if shared.count(colour) > 1), None)
    if twice is not None:
        problems.append(BadSample(file.name, f"the colour {twice} stands for two classes", "give each its own"))
    return ClassTable(tuple(names), colours, tuple(problems))
