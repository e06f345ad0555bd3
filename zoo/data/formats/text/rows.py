"""Texts in CSV, TSV and JSON Lines files, in plain text files, and in a folder of those for each class: every row
read, every fault named with its line."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from zoo.api.data import Split
from zoo.api.errors import BadSample, DataError
from zoo.data.formats.class_folders.tree import SPLIT_FOLDERS
from zoo.data.formats.folders import FileKind
from zoo.data.formats.samples import Listing

COLUMNS: Final = {
    "text": ("text", "sentence", "name", "content"),
    "label": ("label", "class", "category", "language"),
    "split": ("split",),
}
"""What a column may be called."""
JSON_LINES: Final = (".jsonl", ".ndjson")
TABLES: Final = (".csv", ".tsv", *JSON_LINES)
PLAIN: Final = (".txt", ".text", ".md")
TEXT_FILES: Final = FileKind(
    plural="texts",
    suffixes=frozenset(PLAIN),
    unread=frozenset({".doc", ".docx", ".odt", ".pdf", ".rtf", ".gz", ".zip"}),
    remedy="save them as plain text (.txt)",
)
MARKS: Final = {
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""The encoding that a byte order mark stands for."""


@dataclass(frozen=True, slots=True)
class TextRow:
    """One text, where it stands, and what the source says about it."""

    where: str
    """As in "train.csv line 7"; a file's name for a plain text file."""
    text: str
    label: str = ""
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class TextItem:
    """One text of a split."""

    text: str
    label: int = -1
    """Index into the card's classes; -1 where there are none."""
    name: str = ""
    """Where it comes from."""


Found = TextRow | BadSample


def read_table(path: Path, *, labelled: bool, split: Split | None = None) -> Iterator[Found]:
    """Every row of a CSV, TSV or JSON Lines file; DataError when a column is missing from all of it."""
    text = decode_file(path, path.name)
    if isinstance(text, BadSample):
        yield text
        return
    lines = _json_lines if path.suffix.lower() in JSON_LINES else _csv_lines
    rows = lines(path, text, labelled=labelled)
    for where, cells in rows:
        if isinstance(cells, str):
            yield BadSample(where, cells, "correct the line")
            continue
        yield _row(where, cells, labelled=labelled, split=split)


def read_plain(path: Path, name: str, *, split: Split | None = None) -> Found:
    """A whole file as one text."""
    text = decode_file(path, name)
    if isinstance(text, BadSample):
        return text
    if not text.strip():
        return BadSample(name, "the file is empty", "delete it, or fill it")
    return TextRow(name, text, split=split)


def read_classes(listing: Listing) -> Iterator[Found]:
    """Every text of a listing of class folders, without the white space at its ends, as a cell of a table has none."""
    yield from listing.problems
    for row in listing.rows:
        found = read_plain(listing.root / row.name, row.name, split=row.split)
        yield found if isinstance(found, BadSample) else replace(found, text=found.text.strip(), label=row.label)


def decode_file(path: Path, name: str) -> str | BadSample:
    """The text of a UTF-8 file, with or without a byte order mark; or what is wrong with its bytes."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        reason = f"not UTF-8 text: byte 0x{raw[error.start]:02x} at {error.start:,}, in line {line}"
        return BadSample(name, reason, f"save it as UTF-8, as in: iconv -f {_encoding(raw)} -t utf-8 {name}")
    if "\0" in text:
        return BadSample(
            name, f"not text: a zero byte in line {text.count(chr(10), 0, text.index(chr(0))) + 1}", "leave it out"
        )
    return text.replace("\r\n", "\n")


def _encoding(raw: bytes) -> str:
    """What bytes that are not UTF-8 probably are: as their byte order mark says, or the old default of the West."""
    return next((name for mark, name in MARKS.items() if raw.startswith(mark)), "latin1")


Line = tuple[str, Mapping[str, str] | str]
"""Where it stands, and its cells by column or what is wrong with it."""


def _csv_lines(path: Path, text: str, *, labelled: bool) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text), delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        check_columns(path, header, labelled=labelled)
        for cells in reader:
            where = f"{path.name} line {reader.line_num}"
            if len(cells) > len(header):
                yield where, f"{len(cells)} cells where the first line has {len(header)}; quote texts with commas"
            elif cells:
                yield where, dict(zip(header, [*cells, *[""] * (len(header) - len(cells))], strict=True))
    except csv.Error as error:
        yield f"{path.name} line {reader.line_num}", f"not valid CSV: {error}"


def _json_lines(path: Path, text: str, *, labelled: bool) -> Iterator[Line]:
    columns: dict[str, None] = {}
    read = False
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        cells = _record(line)
        if not isinstance(cells, str):
            read = True
            columns.update(dict.fromkeys(cells))
        yield f"{path.name} line {number}", cells
    if read:  # only now: a later row may have what the first ones lack
        check_columns(path, columns, labelled=labelled)


def _record(line: str) -> Mapping[str, str] | str:
    """The cells of a line of JSON by column, or what is wrong with it."""
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:  # its own words say "line 1", which is not the file's
        return f"not valid JSON: {error.msg} at character {error.pos + 1}"
    except ValueError as error:
        return f"not valid JSON: {error}"
    if isinstance(record, dict):
        return {str(key).lower(): _cell(value) for key, value in record.items()}
    return 'not a JSON object, as in {"text": "…", "label": "…"}'


def _cell(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def check_columns(path: Path, found: Iterable[str], *, labelled: bool) -> None:
    """DataError unless the columns that are needed are there."""
    found = list(found)
    missing = _missing(found, labelled=labelled)
    if missing:
        raise DataError(
            f"{path} has no column {' and '.join(missing)}; it has {_few(found)}",
            hint="name the columns text,label or text,label,split" if labelled else "name the column text",
        )


def _few(names: Sequence[str], *, most: int = 12) -> str:
    """The first of some names: lines of JSON may each have others."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more or "nothing"


def _missing(found: Iterable[str], *, labelled: bool) -> list[str]:
    """The columns that are needed and not among those found."""
    names = set(found)
    wanted = ("text", "label") if labelled else ("text",)
    return [column for column in wanted if names.isdisjoint(COLUMNS[column])]


def _row(where: str, cells: Mapping[str, str], *, labelled: bool, split: Split | None) -> Found:
    missing = _missing(cells, labelled=labelled)
    if missing:  # a line of JSON alone may lack a field: a row of CSV has every column of the first line
        reason = f"the {' and the '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        fix = f"add {' and '.join(missing)} to the line, which has {_few(list(cells))}, or remove it"
        return BadSample(where, reason, fix)
    values = {column: next((cells[n] for n in names if n in cells), "").strip() for column, names in COLUMNS.items()}
    if not values["text"]:
        return BadSample(where, "the text is empty", "fill it in, or remove the line")
    if labelled and not values["label"]:
        return BadSample(where, f"{shortened(values['text'])!r} has no label", "fill it in, or remove the line")
    if values["split"]:
        split = SPLIT_FOLDERS.get(values["split"].lower())
        if split is None:
            return BadSample(where, f"unknown split {values['split']!r}", f"use one of {', '.join(SPLIT_FOLDERS)}")
    return TextRow(where, values["text"], values["label"] if labelled else "", split)


def shortened(text: str, length: int = 40) -> str:
    """The beginning of a text."""
    return text if len(text) <= length else text[: length - 1] + "…"
