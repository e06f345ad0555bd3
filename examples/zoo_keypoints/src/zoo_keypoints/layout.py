"""A folder of pictures with a points.csv, read line by line, or `tickets`.

path,nose_x,nose_y,tail_x,tail_y[,split]
cats/1.jpg,104,52.5,310,220,train
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import zoo
from zoo_keypoints import tickets

TABLE = "points.csv"
ACCEPTED = f"accepted are a folder with pictures and {TABLE} (path,NAME_x,NAME_y,...[,split]); {tickets.NAME}"


@dataclass(frozen=True, slots=True)
class PointSample:
    """One picture and its points."""

    name: str
    """The path below the folder; of a ticket its split and number."""
    points: tuple[tuple[float, float], ...]
    """x and y in pixels, in the order of the card's classes."""
    sides: tuple[int, int]
    """Height and width in pixels."""


def ticket_card(source: zoo.DataSource) -> zoo.DataCard:
    """The drawn tickets."""
    splits = {
        split: [_ticket(split, at, row) for at, row in enumerate(tickets.load(split)[1])] for split in tickets.COUNTS
    }
    return zoo.make_card(source, splits, classes=tickets.CORNERS, facts={"channels": 1})


def folder_card(source: zoo.DataSource, folder: Path, progress: Callable[[int, int], None]) -> zoo.DataCard:
    """Every picture decoded, every point held against it; DataError lists every line that is wrong."""
    with (folder / TABLE).open(newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        header, rows = table.fieldnames or [], list(table)
    names = [name.removesuffix("_x") for name in header if name.endswith("_x")]
    missing = [name for name in ("path", *(f"{name}_y" for name in names or ["NAME"])) if name not in header]
    if missing:
        raise zoo.BadFile(
            f"the first line of {folder / TABLE} is {','.join(header)!r}, without {missing[0]}", hint=ACCEPTED
        )
    splits: dict[zoo.Split, list[PointSample]] = {"train": [], "validation": [], "test": []}
    bad = []
    for number, row in enumerate(rows, 1):
        try:
            splits[zoo.split_named(row.get("split"))].append(_sample(folder, row, names))
        except (ValueError, OSError) as error:
            bad.append(zoo.BadSample(f"{TABLE}, line {number + 1}", str(error), "correct the line or the picture"))
        progress(number, len(rows))
    return zoo.make_card(source, splits, bad=bad, classes=names, facts={"channels": 3}, accepted=ACCEPTED)


def reader(card: zoo.DataCard) -> Callable[[PointSample], np.ndarray[Any, Any]]:
    """A function from a sample to uint8 [height, width, 3]."""
    folder = card.source.location
    return _read_ticket if folder is None else lambda sample: zoo.read_picture(folder / sample.name)


def _read_ticket(sample: PointSample) -> np.ndarray[Any, Any]:
    split, _, index = sample.name.partition("/")
    return np.repeat(tickets.load(zoo.split_named(split))[0][int(index)][..., None], 3, axis=2)


def _ticket(split: str, index: int, corners: np.ndarray[Any, Any]) -> PointSample:
    return PointSample(f"{split}/{index}", _pairs(corners.ravel().tolist()), (tickets.SIDE, tickets.SIDE))


def _sample(folder: Path, row: Mapping[str, str], names: Iterable[str]) -> PointSample:
    height, width = zoo.read_picture(folder / row["path"]).shape[:2]
    points = _pairs(float(row[f"{name}_{axis}"] or "nan") for name in names for axis in "xy")
    for name, (x, y) in zip(names, points, strict=True):
        if not (0 <= x <= width and 0 <= y <= height):
            raise ValueError(f"{name} of {row['path']} is at {x:g}, {y:g}, outside its {width} x {height} pixels")
    return PointSample(row["path"], points, (height, width))


def _pairs(numbers: Iterable[float]) -> tuple[tuple[float, float], ...]:
    values = iter(numbers)
    return tuple(zip(values, values, strict=True))
