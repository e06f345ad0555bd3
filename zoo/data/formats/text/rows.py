"""Texts in CSV, TSV and JSON Lines files, in plain text files, and in a folder of those for each class: every row
read, every fault named with its line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any, Final

from zoo.api.data import DataNote, DataRequest, Split
from zoo.api.errors import BadSample
from zoo.data.formats.columns import Columns, few, known_names, text_columns
from zoo.data.formats.folders import PICTURES, SOUND_SUFFIXES, UNREAD_PICTURES, UNREAD_SOUND_SUFFIXES, VIDEOS, FileKind
from zoo.data.formats.samples import FileListing
from zoo.data.formats.split_names import exact_split
from zoo.data.formats.tables import SEPARATORS, Table, parse_table
from zoo.data.formats.text.sniff import without_fasttext_marks
from zoo.data.formats.text_files import decode_file, encoding_of

JSON_LINES: Final = (".jsonl", ".ndjson", ".json")
TABLES: Final = (".csv", ".tsv", ".jsonl", ".ndjson")
PLAIN: Final = (".txt", ".text", ".md", ".raw", ".tokens")
TEXT_FILES: Final = FileKind(
    plural="texts",
    suffixes=frozenset(PLAIN),
    unread=frozenset({".doc", ".docx", ".odt", ".pdf", ".rtf", ".gz", ".zip"}),
    remedy="save them as plain text (.txt)",
)


FILES: Final = {
    "pictures": PICTURES | UNREAD_PICTURES - {".raw"},  # which may be text as well
    "sounds": SOUND_SUFFIXES | UNREAD_SOUND_SUFFIXES,
    "videos": VIDEOS,
}
"""Suffixes of files other than texts."""
LONGEST_NAME: Final = 1_000


@dataclass(frozen=True, slots=True)
class TextRow:
    """One text, where it stands, and what the source says about it.

    Examples:
        >>> zoo.TextRow(where="mails.csv, line 2", text="buy now", label="spam").split is None
        True
    """

    where: str
    """As in "train.csv line 7"; a file's name for a plain text file."""
    text: str
    """All of it."""
    label: str = ""
    """The class; empty where there are none."""
    split: Split | None = None
    """Where the source puts it, if it says so."""


@dataclass(frozen=True, slots=True)
class TextItem:
    """One text of a split."""

    text: str
    label: int = -1
    """Index into the card's classes; -1 where there are none."""
    name: str = ""
    """Where it comes from."""


@dataclass(frozen=True, slots=True)
class TextNote:
    """A sentence on how a file was read.

    Examples:
        >>> zoo.TextNote("the column score is not read").text
        'the column score is not read'
    """

    text: str
    """The sentence; a `DataNote` where it is of a kind."""


Found = TextRow | BadSample | TextNote


def read_table(
    path: Path, *, labelled: bool, split: Split | None = None, request: DataRequest | None = None
) -> Iterator[Found]:
    """Every row of a CSV, TSV or JSON Lines file; DataError where nothing says which column holds what."""
    text = decode_file(path, path.name, encoding_of(request))
    if isinstance(text, BadSample):
        yield text
        return
    read = _json_rows if path.suffix.lower() in JSON_LINES else _csv_rows
    yield from read(path, text, labelled=labelled, split=split, request=request)


def read_plain(path: Path, name: str, *, split: Split | None = None, encoding: str = "") -> Found:
    """A whole file as one text."""
    text = decode_file(path, name, encoding)
    if isinstance(text, BadSample):
        return text
    if not text.strip():
        return BadSample(name, "the file is empty", "write its text into it, or move it out of the data")
    return TextRow(name, text, split=split)


def read_classes(listing: FileListing, encoding: str = "") -> Iterator[Found]:
    """Every text of a listing of class folders, without the white space at its ends, as a cell of a table has none."""
    yield from listing.problems
    for row in listing.rows:
        entry = read_plain(listing.root / row.name, row.name, split=row.split, encoding=encoding)
        yield replace(entry, text=entry.text.strip(), label=row.label) if isinstance(entry, TextRow) else entry


def _csv_rows(
    path: Path, text: str, *, labelled: bool, split: Split | None, request: DataRequest | None
) -> Iterator[Found]:
    names = known_names("text", "label", "split")
    text = without_fasttext_marks(text)
    table = parse_table(text, name=path.name, suffix=path.suffix, known=names)
    if not table.rows and table.problems:
        yield from table.problems
        return
    columns = text_columns(path.name, table.first, table.columns(header=True), labelled=labelled, request=request)
    yield from (TextNote(note) for note in (*table.notes, *columns.notes))
    yield from _not_read(path.name, [cell.strip() for cell in table.first], columns)
    yield from table.problems
    wrong = {problem.where for problem in table.problems}
    for row in table.rows[int(columns.header) :]:
        where = f"{path.name} line {row.last}"
        if f"{path.name} line {row.first}" in wrong:
            continue
        if len(row.cells) > len(table.first) and any(cell.strip() for cell in row.cells[len(table.first) :]):
            yield BadSample(where, _too_many(row.cells, table), "correct the line")
            continue
        cells = {kind: row.cells[index].strip() for kind, index in columns.of.items() if index < len(row.cells)}
        yield _row(where, cells, labelled=labelled, split=split)


def _not_read(name: str, names: Sequence[str], columns: Columns) -> Iterator[TextNote]:
    """What is said of columns that nothing is learnt from."""
    taken = set(columns.of.values())
    left = [column for index, column in enumerate(names) if index not in taken and column]
    if left and columns.header:
        shown = ", ".join(left[:5]) + (", …" if len(left) > 5 else "")
        message = f"left out the columns {shown} of {name}: nothing asks for them"
        yield TextNote(DataNote(message, kind="left-out", what=f"the columns {shown}", items=len(left)))


def _too_many(cells: Sequence[str], table: Table) -> str:
    return (
        f"{len(cells)} cells where the first line has {len(table.first)}; "
        f"quote texts with {SEPARATORS[table.separator]}"
    )


def _json_rows(
    path: Path, text: str, *, labelled: bool, split: Split | None, request: DataRequest | None
) -> Iterator[Found]:
    records = _records(path, text)
    read = [record for _, record in records if not isinstance(record, BadRecord)]
    names = list(dict.fromkeys(name for record in read for name in record))  # a later row may have what the first lacks
    columns = [[record.get(name, "").strip() for record in read] for name in names]
    of: Mapping[str, int] = {}
    if read:
        chosen = text_columns(path.name, names, columns, labelled=labelled, request=request, header=True)
        of = chosen.of
        yield from (TextNote(note) for note in chosen.notes)
        yield from _not_read(path.name, names, chosen)
    for where, record in records:
        if isinstance(record, BadRecord):
            yield BadSample(where, record.reason, "correct the line")
            continue
        missing = [kind for kind in ("text", "label") if kind in of and names[of[kind]] not in record]
        if missing:  # a line of JSON may lack a field: a row of CSV has every column of the first line
            reason = f"the {' and the '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
            fix = f"add {' and '.join(missing)} to the line, which has {few(list(record))}"
            yield BadSample(where, reason, fix)
            continue
        cells = {kind: record.get(names[index], "").strip() for kind, index in of.items()}
        column = names[of["text"]]
        if isinstance(record.get(column), Nested):
            reason = f"its {column} is {shortened(record[column])}, which is no text"
            yield BadSample(where, reason, "write the text itself, or name the column of texts with --text-column")
            continue
        yield _row(where, cells, labelled=labelled, split=split)


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A line that is no JSON object, and why."""

    reason: str


def _records(path: Path, text: str) -> list[tuple[str, Mapping[str, str] | BadRecord]]:
    """Where each object stands, and its cells: a line each, or, in a .json file, an entry of its only list."""
    if path.suffix.lower() == ".json":
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = None  # objects one a line are no JSON together
        if rows := _rows_of_columns(document):
            return [(f"{path.name} entry {number}", _cells(row)) for number, row in enumerate(rows, 1)]
        lists = [value for value in document.values() if isinstance(value, list)] if isinstance(document, dict) else []
        entries = document if isinstance(document, list) else lists[0] if len(lists) == 1 else None
        if entries is not None:
            return [(f"{path.name} entry {number}", _cells(entry)) for number, entry in enumerate(entries, 1)]
    return [
        (f"{path.name} line {number}", _record(line)) for number, line in enumerate(text.split("\n"), 1) if line.strip()
    ]


def _rows_of_columns(document: object) -> list[dict[str, Any]]:
    """The rows of {"text": ["…", …], "label": [1, …]}, or of pandas' {"text": {"0": "…"}, …}; empty for other JSON."""
    if not isinstance(document, dict) or len(document) < 2:
        return []
    columns = {name: list(value.values()) if isinstance(value, dict) else value for name, value in document.items()}
    keys = {tuple(value) if isinstance(value, dict) else None for value in document.values()}
    if len(keys) != 1 or not all(isinstance(column, list) for column in columns.values()):
        return []
    lengths = {len(column) for column in columns.values()}
    plain = all(isinstance(cell, str | int | float | None) for column in columns.values() for cell in column)
    if len(lengths) != 1 or not plain:
        return []
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _record(line: str) -> Mapping[str, str] | BadRecord:
    """The cells of a line of JSON by column, or what is wrong with it."""
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:  # its own words say "line 1", which is not the file's
        return BadRecord(f"not valid JSON: {error.msg} at character {error.pos + 1}")
    except (ValueError, RecursionError) as error:
        return BadRecord(f"not valid JSON: {error}")
    return _cells(record)


def _cells(record: object) -> Mapping[str, str] | BadRecord:
    if isinstance(record, dict):
        return {str(key).lower(): _cell(value) for key, value in record.items()}
    return BadRecord('not a JSON object, as in {"text": "…", "label": "…"}')


class Nested(str):
    """A cell that holds an object or a list, as JSON."""

    __slots__ = ()


def _cell(value: object) -> str:
    if isinstance(value, dict | list):
        return Nested(json.dumps(value, ensure_ascii=False))
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def _row(where: str, cells: Mapping[str, str], *, labelled: bool, split: Split | None) -> Found:
    text, label, part = (cells.get(kind, "") for kind in ("text", "label", "split"))
    if not text:
        return BadSample(where, "the text is empty", "fill it in")
    if labelled and not label:
        return BadSample(where, f"{shortened(text)!r} has no label", "fill it in")
    if part:
        split = exact_split(part)
        if split is None:
            return BadSample(where, f"unknown split {part!r}", "use one of train, validation, test")
    return TextRow(where, text, label if labelled else "", split)


def named_files(texts: Iterable[str]) -> str:
    """What the files are whose names all texts are: pictures, sounds or videos; empty where one is a text."""
    suffixes = {PurePath(text.strip()).suffix.lower() if len(text) <= LONGEST_NAME else "" for text in texts}
    return next((kind for kind, known in FILES.items() if suffixes and suffixes <= known), "")


def shortened(text: str, length: int = 40) -> str:
    """The beginning of a text."""
    return text if len(text) <= length else text[: length - 1] + "…"
