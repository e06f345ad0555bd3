"""A table of numbers as data to learn from: its columns recognised by name, every row read, bad ones named."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.errors import BadSample, DataError
from zoo.api.problem import Json
from zoo.api.task import Progress
from zoo.data.card import make_card, split_named
from zoo.data.table.reading import number

TABLES: Final = (".csv", ".tsv")
TARGET: Final = "target"
SPLIT: Final = "split"
ACCEPTED: Final = (
    "accepted is a .csv or .tsv file whose first line names the columns: numbers to learn from, "
    "target or target_NAME for the numbers to answer, and, if you like, split"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table."""

    name: str
    """Where it stands: "row 3"."""
    features: tuple[float, ...]
    """In the order of the columns."""
    targets: tuple[float, ...]
    """In the order of the targets."""


def detect_table(request: DataRequest) -> DataSource:
    """A CSV or TSV file; DataError says what is accepted."""
    path = Path(request.source).expanduser()
    if not path.is_file() or path.suffix.lower() not in TABLES:
        raise DataError(f"{path} is no {' or '.join(TABLES)} file", hint=ACCEPTED)
    return DataSource(request=request, format="table", location=path.resolve())


def check_table(source: DataSource, *, progress: Progress) -> DataCard:
    """Every row read; DataError names each row and column that is no number."""
    path = source.location
    assert path is not None, "detect gives every table a location"
    lines = _lines(path)
    header = next(lines)
    targets = [name for name in header if name == TARGET or name.startswith(f"{TARGET}_")]
    columns = [name for name in header if name not in (*targets, SPLIT)]
    if not targets or not columns:
        raise DataError(
            f"the first line of {path} names no column {'to learn from' if targets else TARGET}", hint=ACCEPTED
        )
    rows: dict[Split, list[Row]] = {"train": [], "validation": [], "test": []}
    bad: list[BadSample] = []
    cells = list(lines)
    for at, line in enumerate(cells, 1):
        try:
            if len(line) != len(header):
                raise ValueError(f"it has {len(line)} cells, the first line has {len(header)}")
            split, row = _row(dict(zip(header, line, strict=True)), columns, targets, f"row {at}")
            rows[split].append(row)
        except ValueError as error:
            bad.append(BadSample(f"{path.name}, row {at}", str(error), "correct the row"))
        progress(at, len(cells))
    return table_card(source, columns, targets, rows, bad=bad)


def table_card(
    source: DataSource,
    columns: Sequence[str],
    targets: Sequence[str],
    rows: Mapping[Split, Sequence[Row]],
    *,
    bad: Sequence[BadSample] = (),
) -> DataCard:
    """The card of rows; where none is for validation, a tenth of train is held out by the hash of their names."""
    facts: dict[str, Json] = {"columns": list(columns), "targets": list(targets)}
    return make_card(source, rows, bad=bad, classes=(), facts=facts, accepted=ACCEPTED)


def _lines(path: Path) -> Iterator[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}", hint="save it as UTF-8") from error
    lines = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
    header = next(lines, [])
    if doubled := {name for name in header if header.count(name) > 1}:
        raise DataError(f"{path} names the column {min(doubled)!r} twice", hint=ACCEPTED)
    yield header
    yield from (line for line in lines if line)


def _row(cells: Mapping[str, str], columns: Sequence[str], targets: Sequence[str], name: str) -> tuple[Split, Row]:
    features, values = (tuple(number(cells[one], one) for one in names) for names in (columns, targets))
    return split_named(cells.get(SPLIT)), Row(name, features, values)
