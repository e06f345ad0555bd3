"""Pairs to verify: LFW's pairs.txt, or a CSV or TSV file with the columns a, b and same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Final

from zoo.api.errors import BadSample, DataError
from zoo.data.formats.tables import SEPARATORS, parse_table
from zoo.data.formats.text_files import decode_file, file_text

NAMES: Final = ("pairs.txt", "pairs.csv", "pairs.tsv")
"""What the file is called that lies beside the folders of identities."""
COLUMNS: Final = ("a", "b", "same")
SAME: Final = {"1": True, "true": True, "yes": True, "same": True} | dict.fromkeys(
    ("0", "false", "no", "different"), False
)
SOME: Final = 20
"""Lines that are looked at to tell pairs from other texts."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One line."""

    where: str
    """As in "pairs.txt line 7"."""
    first: str
    """A path below the data, or LFW's "Name/Name_0001", without the suffix."""
    second: str
    same: bool


@dataclass(frozen=True, slots=True)
class Pairs:
    """A file of pairs, and what is wrong in it."""

    pairs: tuple[Pair, ...]
    problems: tuple[BadSample, ...]


def beside(folder: Path) -> Path | None:
    """The file of pairs that lies in a folder, if any."""
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)


def holds_pairs(path: Path, encoding: str = "") -> bool:
    """Whether the first lines of a text file are pairs, or the first of a table names the columns a, b and same."""
    if path.suffix.lower() == ".txt":
        return "pair" in path.stem.lower() or _begins_with_pairs(path, encoding)
    if path.suffix.lower() not in (".csv", ".tsv"):
        return False
    first = file_text(path, encoding).partition("\n")[0].lower()
    return any(set(COLUMNS) <= {cell.strip().strip('"') for cell in first.split(separator)} for separator in SEPARATORS)


def _begins_with_pairs(path: Path, encoding: str) -> bool:
    lines = decode_file(path, path.name, encoding)
    if isinstance(lines, BadSample):
        return False
    entries = list(islice(_lfw_lines(path, lines), SOME))
    return sum(isinstance(entry, Pair) for entry in entries) > len(entries) / 2


def read_pairs(path: Path, encoding: str = "") -> Pairs:
    """Every pair; DataError for a table without the columns."""
    pairs: list[Pair] = []
    problems: list[BadSample] = []
    text = file_text(path, encoding)
    lines = _lfw_lines(path, text) if path.suffix.lower() == ".txt" else _table_lines(path, text)
    for entry in lines:
        if isinstance(entry, Pair):
            pairs.append(entry)
        else:
            problems.append(entry)
    if not pairs and not problems:
        raise DataError(
            f"{path} names no pairs", hint="a line is `Name 1 4` or `Name 1 Other 2`, or a,b,same in a table"
        )
    return Pairs(tuple(pairs), tuple(problems))


def _lfw_lines(path: Path, text: str) -> Iterator[Pair | BadSample]:
    """`Name 1 4` is a pair of one identity, `Name 1 Other 2` one of two; the first line may hold counts."""
    for number, line in enumerate(text.splitlines(), 1):
        where, cells = f"{path.name} line {number}", line.split("\t") if "\t" in line else line.split()
        if not cells or (number == 1 and all(cell.isdecimal() for cell in cells)):
            continue
        numbers = cells[1::2] if len(cells) == 4 else cells[1:]
        if len(cells) not in (3, 4) or not all(cell.isdecimal() for cell in numbers):
            yield BadSample(where, f"{line.strip()!r} is no pair", "write `Name 1 4` or `Name 1 Other 2`")
        elif len(cells) == 3:
            yield Pair(where, _lfw_name(cells[0], cells[1]), _lfw_name(cells[0], cells[2]), True)
        else:
            yield Pair(where, _lfw_name(cells[0], cells[1]), _lfw_name(cells[2], cells[3]), False)


def _lfw_name(identity: str, number: str) -> str:
    return f"{identity}/{identity}_{int(number):04d}"


def _table_lines(path: Path, text: str) -> Iterator[Pair | BadSample]:
    table = parse_table(text, name=path.name, suffix=path.suffix, known=COLUMNS)
    header = [cell.strip().lower() for cell in table.first]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise DataError(
            f"{path} has no column {' and '.join(missing)}; its first line has {', '.join(header) or 'nothing'}",
            hint="the first line names the columns: a,b,same",
        )
    yield from table.problems
    for line in table.rows[1:]:
        row = {name: cell.strip() for name, cell in zip(header, line.cells, strict=False)}
        where, same = f"{path.name} line {line.last}", SAME.get(row.get("same", "").lower())
        if same is None or not row["a"] or not row["b"]:
            shown = table.separator.join(line.cells)
            yield BadSample(where, f"{shown!r} is no pair", "write two paths, and 1 for the same or 0")
        else:
            yield Pair(where, row["a"], row["b"], same)


def resolve(pairs: Sequence[Pair], files: Iterable[str]) -> tuple[list[tuple[str, str, bool]], list[BadSample]]:
    """The pairs as names of files, and what names none; a name may lack its suffix, as LFW's do."""
    known = {name: name for name in files}
    bare = {str(PurePosixPath(name).with_suffix("")): name for name in known}
    resolved: list[tuple[str, str, bool]] = []
    problems: list[BadSample] = []
    for pair in pairs:
        first, second = (known.get(name, bare.get(name, "")) for name in (pair.first, pair.second))
        for name, file in ((pair.first, first), (pair.second, second)):
            if not file:
                problems.append(BadSample(pair.where, f"no picture {name}", "correct the line"))
        if first and second:
            resolved.append((first, second, pair.same))
    return resolved, problems
