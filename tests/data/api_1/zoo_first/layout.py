"""Where pictures and their numbers come from: `discs`, drawn here, or a folder with a values.csv.

path,value
boats/1.jpg,0.25
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import numpy as np

from zoo import BadSample, DataCard, DataError, DataRequest, DataSource, ImageInput, Input, Split, read_picture

TABLE: Final = "values.csv"
DISCS: Final = "discs"
SIDE: Final = 32
COUNTS: Final[Mapping[Split, int]] = {"train": 600, "validation": 100, "test": 100}
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture and its number."""

    name: str
    """The path below the folder; of a disc its split and number."""
    value: float


def detect(request: DataRequest) -> DataSource:
    """The layout of a source; DataError names what is accepted."""
    if request.source == DISCS:
        return DataSource(request=request, format=DISCS)
    folder = Path(request.source).expanduser()
    if not (folder / TABLE).is_file():
        raise DataError(f"{folder} has no {TABLE}", hint=f"accepted are a folder with pictures and {TABLE}; {DISCS}")
    return DataSource(request=request, format="values-csv", location=folder.resolve())


def check(source: DataSource, *, progress: Callable[[int, int], None]) -> DataCard:
    """Every picture decoded, every value read; DataError lists every line that is wrong."""
    if source.location is None:
        splits = {split: tuple(sample for sample, _ in discs(split)) for split in COUNTS}
        return _card(source, splits, channels=1)
    samples, wrong = [], []
    with (source.location / TABLE).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        try:
            samples.append(Sample(row["path"], float(row["value"])))
            read_picture(source.location / row["path"])
        except (KeyError, ValueError, OSError) as error:
            wrong.append(BadSample(f"{TABLE}, line {number + 2}", str(error), "correct the line or the picture"))
        progress(number + 1, len(rows))
    if wrong or len(samples) < 2:
        raise DataError(f"{source.location / TABLE} cannot be trained on", problems=wrong, hint="path,value")
    samples.sort(key=lambda sample: hashlib.sha256(sample.name.encode()).digest())
    held = max(1, len(samples) // 10)
    return _card(source, {"train": tuple(samples[held:]), "validation": tuple(samples[:held])}, channels=3)


def suited(input: Input, card: DataCard) -> Input:
    """The input with the channels of the data, where the model takes any."""
    channels = card.facts["channels"]
    if not isinstance(input, ImageInput) or not input.any_channels or not isinstance(channels, int):
        return input
    return replace(input, channels=channels, mean=(fmean(input.mean),) * channels, std=(fmean(input.std),) * channels)


def reader(card: DataCard) -> Callable[[Sample], Pixels]:
    """A function from a sample to uint8 [height, width, 3]."""
    folder = card.source.location
    return _drawn if folder is None else lambda sample: read_picture(folder / sample.name)


def _drawn(sample: Sample) -> Pixels:
    names: dict[str, Split] = {split: split for split in COUNTS}
    split, _, number = sample.name.partition("/")
    return discs(names[split])[int(number)][1]


@cache
def discs(split: Split) -> Sequence[tuple[Sample, Pixels]]:
    """Bright discs on dark ground, each with the share of its picture that it covers."""
    random = np.random.default_rng(list(COUNTS).index(split))
    made = []
    for number in range(COUNTS[split]):
        radius, across, down = random.uniform((3, 10, 10), (12, 22, 22))
        rows, columns = np.indices((SIDE, SIDE))
        inside = (rows - down) ** 2 + (columns - across) ** 2 < radius**2
        levels = np.where(inside, random.integers(140, 256), random.integers(0, 90))
        levels = levels + random.integers(-9, 10, (SIDE, SIDE))
        pixels = np.repeat(levels.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
        made.append((Sample(f"{split}/{number}", float(inside.mean())), pixels))
    return made


def _card(source: DataSource, splits: Mapping[Split, Sequence[Sample]], *, channels: int) -> DataCard:
    lines = sorted((split, one.name, one.value) for split, items in splits.items() for one in items)
    fingerprint = hashlib.sha256(repr((source.format, lines)).encode()).hexdigest()
    return DataCard(source=source, splits=splits, facts={"channels": channels}, fingerprint=fingerprint)
