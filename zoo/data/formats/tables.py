"""Rows of CSV and TSV files: the separator is recognised and held against the whole file."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, Final

from zoo.api.data import DataNote, counted
from zoo.api.errors import BadSample, DataError

SEPARATORS: Final[Mapping[str, str]] = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SAID: Final = re.compile(r"sep=([,;\t|])\n", re.IGNORECASE)
QUOTINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    '\\"': {"escapechar": "\\", "doublequote": False},
    "'": {"quotechar": "'"},
}
"""Other ways to quote, by what shows them: \" for a quotation mark in a cell, and ' around cells."""
MOST_COMMENTS: Final = 100
"""Lines above a table."""
FIRST_LINES: Final = 6
"""Lines that the names of columns are looked for in."""
QUOTE_FIX: Final = 'put the whole cell between quotation marks and write "" for each one inside'


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row, and the lines that it covers, counted from 1."""

    first: int
    last: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Every row of a file, its first line among them."""

    name: str
    separator: str
    rows: Sequence[TableRow]
    problems: Sequence[BadSample] = ()
    comments: Sequence[str] = ()
    """The lines above the first row that begin with #."""

    @property
    def notes(self) -> list[DataNote]:
        """What is said of the comments."""
        if not self.comments:
            return []
        lines = counted(len(self.comments), "line", "lines")
        message = f"left out {lines} above the table in {self.name}: {self.comments[0][:60]!r}"
        return [DataNote(message, kind="left-out", what="comments above a table", items=len(self.comments))]

    @property
    def is_list(self) -> bool:
        """Whether it is one of files and labels: a path, a blank and a label a line."""
        return self.separator == " "

    @property
    def first(self) -> Sequence[str]:
        """The cells of the first row, which may be the names of the columns."""
        return self.rows[0].cells if self.rows else ()

    def columns(self, *, header: bool) -> list[list[str]]:
        """The cells of every column, of rows as long as the first; without the first where that is a header."""
        rows = [row.cells for row in self.rows[int(header) :] if len(row.cells) == len(self.first)]
        return [[row[index].strip() for row in rows] for index in range(len(self.first))]


def parse_table(text: str, *, name: str, suffix: str, known: Collection[str] = ()) -> Table:
    """The rows of a text, by the only separator that gives every row as many cells as the first.

    Where several do, that of the suffix counts, or the one whose first row has a name among `known`.
    DataError where nothing decides.
    """
    comments = _comments(text, set(known))
    if comments:  # blank, so that the other lines keep their numbers
        rest = text.split("\n", len(comments))[-1]
        table = parse_table("\n" * len(comments) + rest, name=name, suffix=suffix, known=known)
        return replace(table, comments=comments)
    usual = "\t" if suffix.lower() == ".tsv" else ","
    if said := SAID.match(text):  # Excel's own first line; blank, so that the others keep their numbers
        return _with_stray_quotes(_parse("\n" + text[said.end() :], name, said[1]), text)
    _refuse_title(text, name, set(known))
    start = text.lstrip("\n").partition("\n")[0]
    if start.startswith("#") and {cell.strip('# "').lower() for cell in re.split(r"[,;\t|]", start)} & set(known):
        text = text.replace("#", " ", 1)
    candidates = [mark for mark in (usual, *SEPARATORS) if mark in start]
    tables = {mark: _parse(text, name, mark) for mark in dict.fromkeys(candidates)}
    even = [mark for mark, table in tables.items() if _is_even(table)]
    named = [mark for mark, table in tables.items() if {cell.strip().lower() for cell in table.first} & set(known)]
    for marks in ([mark for mark in even if mark in named], even, named, list(tables)):
        if len(marks) == 1 or usual in marks:
            mark = usual if usual in marks else marks[0]
            return _with_stray_quotes(tables[mark], text)
        if marks:
            shown = " and ".join(SEPARATORS[mark] for mark in marks)
            raise DataError(f"the columns of {name} may be separated by {shown}", hint="save it with commas and quotes")
    return _with_stray_quotes(_parse(text, name, usual), text)


def _comments(text: str, known: Collection[str]) -> list[str]:
    """The first lines that begin with #, where they are no rows: the next line names the columns, or has others."""
    lines = text.split("\n", MOST_COMMENTS + 1)[: MOST_COMMENTS + 1]
    comments = list(takewhile(lambda line: line.startswith("#") or not line.strip(), lines))
    if not any(line.startswith("#") for line in comments) or len(comments) == len(lines):
        return []
    header = lines[len(comments)]
    named = any({cell.strip().strip('"').lower() for cell in header.split(mark)} & set(known) for mark in SEPARATORS)
    last = next(line for line in reversed(comments) if line.strip())
    if {cell.strip("# ").lower() for mark in SEPARATORS for cell in last.split(mark)} & set(known) and not named:
        return []  # the names of the columns stand behind a #
    even = any(0 < header.count(mark) == line.count(mark) for mark in SEPARATORS for line in comments)
    return comments if named or not even else []


def _refuse_title(text: str, name: str, known: Collection[str]) -> None:
    """DataError where the columns are named in one of the first lines, and a title stands above them."""
    lines = text.split("\n", FIRST_LINES)[:FIRST_LINES]
    counts = [len({cell.strip('"# ').lower() for cell in re.split(r"[,;\t|]", line)} & set(known)) for line in lines]
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    number = next((index for index, count in enumerate(counts) if count > 1 and index > first), None)
    if number is not None and not counts[first]:
        raise DataError(
            f"line {number + 1} of {name} names the columns, and above it stands {lines[first].strip()[:60]!r}",
            hint="begin the lines above with #: those are left out",
        )


@contextmanager
def _long_fields() -> Iterator[None]:
    """A cell may hold a whole book; the limit belongs to the process and is put back."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _parse(text: str, name: str, separator: str) -> Table:
    """The rows of a text whose cells are quoted as usual; else as MySQL or single quotes do it, where that reads it."""
    table = _parse_quoted(text, name, separator, {})
    for escape, form in QUOTINGS.items():
        if escape in text and (table.problems or (form.get("quotechar") and _is_single_quoted(table))):
            other = _parse_quoted(text, name, separator, form)
            if _is_even(other):
                return other
    return table


def _is_single_quoted(table: Table) -> bool:
    """Whether every cell of the first row stands in single quotation marks."""
    return all(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in map(str.strip, table.first))


def _parse_quoted(text: str, name: str, separator: str, form: Mapping[str, Any]) -> Table:
    rows: list[TableRow] = []
    problems: list[BadSample] = []
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True, **form)
    last = 0
    with _long_fields():
        try:
            for cells in reader:
                if cells:
                    rows.append(TableRow(last + 1, reader.line_num, cells))
                last = reader.line_num
        except csv.Error as error:
            open_ended = "unexpected end of data" in str(error)
            reason = "a quotation mark opens here and is never closed" if open_ended else f"not valid CSV: {error}"
            problems.append(BadSample(f"{name} line {last + 1}", reason, QUOTE_FIX))
    return Table(name=name, separator=separator, rows=rows, problems=problems)


def _is_even(table: Table) -> bool:
    width = len(table.first)
    return width > 1 and not table.problems and all(len(row.cells) == width for row in table.rows)


def _with_stray_quotes(table: Table, text: str) -> Table:
    """The table with a problem for every row that a quotation mark made of several lines which look like rows."""
    width = len(table.first)
    long = [row for row in table.rows if row.last > row.first]
    if width < 2 or not long:
        return table
    lines = text.split("\n")
    usual = [
        Counter(row.cells[index].strip() for row in table.rows if row.last == row.first and len(row.cells) == width)
        for index in range(width)
    ]
    prose = table.separator in ",;"  # which stand in any text, so that a line with one is not yet a row
    all_even = not prose and all(line.count(table.separator) == width - 1 for line in lines if line.strip())

    def is_row(line: str) -> bool:
        cells = [cell.strip().strip('"') for cell in line.split(table.separator)]
        known = (usual[index][cell] > 1 for index, cell in enumerate(cells) if cell) if len(cells) == width else ()
        return all_even or any(known)

    problems = list(table.problems)
    for row in long:
        swallowed = [line for line in lines[row.first : row.last] if is_row(line)]
        if swallowed:
            reason = (
                f"a quotation mark opens here and closes in line {row.last}: {len(swallowed)} lines that look like "
                "rows would be one text"
            )
            problems.append(BadSample(f"{table.name} line {row.first}", reason, QUOTE_FIX))
    return replace(table, problems=problems)
