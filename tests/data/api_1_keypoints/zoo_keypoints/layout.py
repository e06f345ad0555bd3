"""Where points come from: `tickets`, or a folder of pictures with a points.csv; recognised, then checked line by line.

path,nose_x,nose_y,tail_x,tail_y[,split]
cats/1.jpg,104,52.5,310,220,train
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from zoo import BadFile, BadSample, DataCard, DataError, DataRequest, DataSource, Split, read_picture
from zoo_keypoints import tickets

TABLE: Final = "points.csv"
SPLITS: Final[dict[str, Split]] = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}
HELD_OUT: Final = 10
"""Where the table names no validation split, about one picture in ten is held out of train."""

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PointSample:
    """One picture and its points."""

    name: str
    """The path below the folder; of a ticket its split and number."""
    points: tuple[tuple[float, float], ...]
    """x and y in pixels, in the order of the card's classes."""
    sides: tuple[int, int]
    """Height and width in pixels."""
    index: int = -1
    """The place among the tickets of its split; -1 for files."""


def detect(request: DataRequest) -> DataSource:
    """The layout of a source; DataError names what is accepted."""
    if request.source == tickets.NAME:
        return DataSource(request=request, format=tickets.NAME)
    folder = Path(request.source).expanduser()
    if not (folder / TABLE).is_file():
        found = "has no points.csv" if folder.is_dir() else "is not a folder"
        accepted = f"accepted are a folder with pictures and {TABLE} (path,NAME_x,NAME_y,...[,split]); {tickets.NAME}"
        raise DataError(f"{folder} {found}", hint=accepted)
    return DataSource(request=request, format="points-csv", location=folder.resolve())


def check(source: DataSource, *, progress: Callable[[int, int], None]) -> DataCard:
    """Every picture decoded, every point held against it; DataError lists every line that is wrong."""
    return _tickets(source) if source.location is None else _folder(source, source.location, progress)


def reader(card: DataCard) -> Callable[[PointSample], Pixels]:
    """A function from a sample to uint8 [height, width, 3]."""
    folder = card.source.location
    return _read_ticket if folder is None else lambda sample: read_picture(folder / sample.name)


def stacked(card: DataCard, split: Split) -> Pixels | None:
    """The tickets of a split that the card holds, grey levels [n, 48, 48]; None for folders."""
    if card.source.location is not None:
        return None
    return tickets.load(split)[0][[sample.index for sample in card.splits[split]]]


def _read_ticket(sample: PointSample) -> Pixels:
    pictures, _ = tickets.load(SPLITS[sample.name.partition("/")[0]])
    return np.repeat(pictures[sample.index][..., None], 3, axis=2)


def _tickets(source: DataSource) -> DataCard:
    sides = (tickets.SIDE, tickets.SIDE)
    splits = {
        split: tuple(
            PointSample(f"{split}/{index}", _pairs(corners.ravel().tolist()), sides, index)
            for index, corners in enumerate(tickets.load(split)[1])
        )
        for split in tickets.COUNTS
    }
    return _card(source, tickets.CORNERS, splits, channels=1)


def _folder(source: DataSource, folder: Path, progress: Callable[[int, int], None]) -> DataCard:
    names, rows = _table(folder / TABLE)
    splits: dict[Split, list[PointSample]] = {"train": [], "validation": [], "test": []}
    problems = []
    for number, row in enumerate(rows):
        try:
            splits[_split(row)].append(_sample(folder, row, names))
        except (ValueError, OSError) as error:
            problems.append(BadSample(f"{TABLE}, line {number + 2}", str(error), "correct the line or the picture"))
        progress(number + 1, len(rows))
    notes = []
    if problems and source.request.on_bad_sample == "skip" and any(splits.values()):
        notes.append(f"left out {len(problems)} bad lines of {TABLE} as asked, the first: {problems[0].reason}")
    elif problems or not splits["train"]:
        raise DataError(f"{folder / TABLE} cannot be trained on", problems=problems, hint="nothing was trained")
    if not splits["validation"]:
        held = [one for one in splits["train"] if _hash(one.name) % HELD_OUT == 0] or splits["train"][:1]
        splits = {**splits, "train": [one for one in splits["train"] if one not in held], "validation": held}
        notes.append(f"{len(held)} pictures were held out for validation, by the hash of their names")
    kept = {split: tuple(sorted(items, key=lambda one: one.name)) for split, items in splits.items() if items}
    return _card(source, names, kept, channels=3, notes=notes)


def _table(path: Path) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    with path.open(newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        header, rows = table.fieldnames or [], list(table)
    names = tuple(name.removesuffix("_x") for name in header if name.endswith("_x"))
    missing = [f"{name}_y" for name in names if f"{name}_y" not in header]
    if "path" not in header or not names or missing:
        raise BadFile(
            f"the first line of {path} is {','.join(header)!r}{f', without {missing[0]}' if missing else ''}",
            hint="path,NAME_x,NAME_y,... and, if you like, split",
        )
    return names, rows


def _split(row: Mapping[str, str]) -> Split:
    name = row.get("split") or "train"
    if name not in SPLITS:
        raise ValueError(f"the split {name!r} is none of {', '.join(SPLITS)}")
    return SPLITS[name]


def _sample(folder: Path, row: Mapping[str, str], names: tuple[str, ...]) -> PointSample:
    height, width = read_picture(folder / row["path"]).shape[:2]
    points = _pairs(float(row[f"{name}_{axis}"] or "nan") for name in names for axis in "xy")
    for name, (x, y) in zip(names, points, strict=True):
        if not (0 <= x <= width and 0 <= y <= height):
            raise ValueError(f"{name} of {row['path']} is at {x:g}, {y:g}, outside its {width} x {height} pixels")
    return PointSample(row["path"], points, (height, width))


def _pairs(numbers: Iterable[float]) -> tuple[tuple[float, float], ...]:
    values = iter(numbers)
    return tuple(zip(values, values, strict=True))


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def _card(
    source: DataSource,
    names: tuple[str, ...],
    splits: Mapping[Split, tuple[PointSample, ...]],
    *,
    channels: int,
    notes: Iterable[str] = (),
) -> DataCard:
    lines: list[Any] = [source.format, tickets.VERSION if source.location is None else "", names]
    lines += sorted((split, one.name, one.sides, one.points) for split, items in splits.items() for one in items)
    return DataCard(
        source=source,
        splits=splits,
        classes=names,
        facts={"channels": channels},
        fingerprint=hashlib.sha256(repr(lines).encode()).hexdigest(),
        notes=tuple(notes),
    )
