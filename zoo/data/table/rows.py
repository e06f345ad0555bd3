"""A table of numbers as data to learn from: its columns recognised by name, every row read, bad ones named."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.errors import BadSample, DataError
from zoo.api.problem import Json
from zoo.api.task import Progress
from zoo.data.card import make_card, split_named
from zoo.data.formats.text_files import decode_file
from zoo.data.table.reading import number
from zoo.runs.user_paths import expand_user

S = TypeVar("S")
TABLES: Final = (".csv", ".tsv")
TARGET: Final = "target"
SPLIT: Final = "split"
ACCEPTED: Final = (
    "accepted is a .csv or .tsv file whose first line names the columns: numbers to learn from, "
    "target or target_NAME for the numbers to answer, and, if you like, split"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Examples:
        >>> zoo.Row("row 1", features=(0.5, 2.0), targets=(1.0,)).features
        (0.5, 2.0)
    """

    name: str
    """Where it stands: "row 3"."""
    features: tuple[float, ...]
    """In the order of the columns."""
    targets: tuple[float, ...]
    """In the order of the targets."""


def detect_table(request: DataRequest) -> DataSource:
    """A CSV or TSV file; DataError says what is accepted."""
    path = expand_user(request.source)
    if not path.is_file() or path.suffix.lower() not in TABLES:
        raise DataError(f"{path} is no {' or '.join(TABLES)} file", hint=ACCEPTED)
    return DataSource(request=request, format="table", location=path.resolve())


def check_table(source: DataSource, *, progress: Progress) -> DataCard:
    """Every row read; DataError names each row and column that is no number."""
    path = source.location
    assert path is not None, "detect gives every table a location"
    header, rows = read_table(path, encoding=source.request.encoding)
    targets = [name for name in header if name == TARGET or name.startswith(f"{TARGET}_")]
    columns = [name for name in header if name not in (*targets, SPLIT)]
    if not targets or not columns:
        raise DataError(
            f"the first line of {path} names no column {'to learn from' if targets else TARGET}", hint=ACCEPTED
        )

    def sample(index: int, cells: Mapping[str, str]) -> Row:
        features, values = (tuple(number(cells[name], name) for name in names) for names in (columns, targets))
        return Row(f"row {index}", features, values)

    splits, bad = read_samples(path, header, rows, sample, progress=progress)
    return table_card(source, columns, targets, splits, bad=bad)


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


@dataclass(frozen=True, slots=True)
class TableRow:
    """The cells of one row, before anybody has looked at them."""

    line: int
    """The line of the file in which it ends, from 1."""
    cells: Sequence[str]


def read_table(path: Path, *, encoding: str = "") -> tuple[list[str], list[TableRow]]:
    """The names of the columns of a CSV or TSV file, and every row; DataError where it is no table."""
    text = decode_file(path, path.name, encoding)
    if isinstance(text, BadSample):
        raise DataError(f"{path} cannot be read: it is {text.reason}", hint=text.fix)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
    try:
        header, rows = next(lines, []), [TableRow(lines.line_num, cells) for cells in lines if cells]
    except csv.Error as error:
        raise DataError(f"{path}, line {lines.line_num}, is no row of a table: {error}", hint="save it anew") from error
    if doubled := {name for name in header if header.count(name) > 1}:
        raise DataError(f"{path} names the column {min(doubled)!r} twice", hint="each column has a name of its own")
    return header, rows


def read_samples(
    path: Path,
    header: Sequence[str],
    rows: Sequence[TableRow],
    sample: Callable[[int, Mapping[str, str]], S],
    *,
    progress: Progress,
) -> tuple[dict[Split, list[S]], list[BadSample]]:
    """The samples of each split, by the column `split` where there is one, and the rows that give none.

    `sample` takes the index of a row, from 1, and its cells by column; ValueError or OSError says what is wrong.
    """
    splits: dict[Split, list[S]] = {"train": [], "validation": [], "test": []}
    bad: list[BadSample] = []
    for index, row in enumerate(rows, 1):
        try:
            if len(row.cells) != len(header):
                raise ValueError(f"it has {len(row.cells)} cells, the first line has {len(header)}")
            cells = dict(zip(header, row.cells, strict=True))
            splits[split_named(cells.get(SPLIT))].append(sample(index, cells))
        except (ValueError, OSError) as error:
            bad.append(BadSample(f"{path.name}, line {row.line}", str(error), "correct the line"))
        progress(index, len(rows))
    return splits, bad
