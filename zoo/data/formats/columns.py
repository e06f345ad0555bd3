"""Which column of a table holds what: by its name, by what lies in it, or as an option says; never by a guess."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from zoo.api.data import DataRequest
from zoo.api.errors import DataError, UsageError
from zoo.data.formats.split_names import exact_split, word_set

NAMES: Final[Mapping[str, tuple[Collection[str], ...]]] = {
    "path": (
        ("path",),
        word_set("file filename file_name filepath file_path image image_path image_name img img_path picture"),
    ),
    "text": (
        ("text",),
        word_set("sentence content name review comment message tweet body document utterance headline sms post"),
        word_set("question query phrase description abstract statement review_text reviewtext input"),
    ),
    "label": (
        ("label",),
        word_set("class category language sentiment target intent topic labels emotion polarity genre class_name"),
    ),
    "split": (("split",),),
}
"""What a column may be called; an earlier group beats a later one."""
MARKS: Final = frozenset({"0", "1", "0.0", "1.0"})
OTHER_SPLITS: Final = ("set", "subset", "partition", "phase", "part")
"""Names of columns that hold splits only where all of their cells are some."""
OPTIONS: Final[Mapping[str, str]] = {"text": "--text-column", "label": "--label-column"}


class NoLabels(DataError):
    """A table of texts has no column that may be the label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The position of every column that is read."""

    of: Mapping[str, int]
    """text or path, label, split: by the words of `NAMES`."""
    header: bool
    """Whether the first row names the columns."""
    notes: Sequence[str] = field(default=())
    marks: Mapping[int, str] = field(default_factory=dict)
    """The class that each of several columns stands for, where a 1 marks it; empty where one column holds the label."""


def known_names(*kinds: str) -> set[str]:
    """Every name that a column of these kinds may have."""
    return {name for kind in kinds for group in NAMES[kind] for name in group}


def named_columns(name: str, names: Sequence[str], kinds: Sequence[str]) -> dict[str, int]:
    """The columns whose names say what they hold; DataError where two say the same."""
    chosen: dict[str, int] = {}
    for kind in kinds:
        for group in NAMES[kind]:
            positions = [index for index, column in enumerate(names) if column in group]
            if len(positions) > 1:
                shown = " and ".join(names[index] for index in positions)
                option = OPTIONS.get(kind)
                hint = f"say which with {option}" if option else f"call one of them {kind} and the others otherwise"
                raise DataError(f"{name} has the columns {shown}, each of which may be the {kind}", hint=hint)
            if positions:
                chosen[kind] = positions[0]
                break
    return chosen


def asked_columns(name: str, names: Sequence[str], request: DataRequest | None) -> dict[str, int]:
    """The columns that the request names, by name or by number from 1; UsageError where there is no such column."""
    asked = {"text": request.text_column, "label": request.label_column} if request else {}
    chosen: dict[str, int] = {}
    for kind, column in asked.items():
        key = column.strip().lower()
        if key and key in names:
            chosen[kind] = names.index(key)
        elif key.isdecimal() and 0 < int(key) <= len(names):
            chosen[kind] = int(key) - 1
        elif key:
            raise UsageError(f"{name} has no column {column} for {OPTIONS[kind]}", hint=f"it has {few(names)}")
    return chosen


def split_column(names: Sequence[str], columns: Sequence[Sequence[str]]) -> int | None:
    """The column of splits: called split, or otherwise with nothing but splits in it."""
    if "split" in names:
        return names.index("split")
    return next((index for index in _of_splits(columns) if names[index] in OTHER_SPLITS), None)


def unnamed_split_column(columns: Sequence[Sequence[str]]) -> int | None:
    """The only column with nothing but splits in it, for a table whose columns have no names."""
    positions = _of_splits(columns)
    return positions[0] if len(positions) == 1 and len(columns) > 1 else None


def _of_splits(columns: Sequence[Sequence[str]]) -> list[int]:
    return [index for index, cells in enumerate(columns) if cells and all(exact_split(cell) for cell in cells)]


def one_hot(positions: Sequence[int], names: Sequence[str], columns: Sequence[Sequence[str]]) -> dict[int, str]:
    """The columns of nothing but 0 and 1, by position, where there are two or more and each row has a 1 in one."""
    marks = {index: names[index] for index in positions if names[index] and set(columns[index]) <= MARKS}
    ones = [sum(columns[index][row] in ("1", "1.0") for index in marks) for row in range(len(columns[0]))]
    return marks if len(marks) > 1 and all(ones) else {}


def repeated(cells: Sequence[str]) -> bool:
    """Whether a column looks like one of labels: its values come again and again."""
    return len(set(cells)) <= len(cells) / 2


def text_columns(
    name: str,
    first: Sequence[str],
    columns: Sequence[Sequence[str]],
    *,
    labelled: bool,
    request: DataRequest | None = None,
    header: bool | None = None,
) -> Columns:
    """The columns of a table of texts; DataError names the options where neither names nor contents decide.

    `columns` are the cells without the first row; `header` says whether that names the columns, None where it may not.
    """
    names = [cell.strip().lower() for cell in first]
    asked = asked_columns(name, names, request)
    kinds = [kind for kind in ("text", *(("label",) if labelled else ())) if kind not in asked]
    of = {**asked, **named_columns(name, names, kinds)}
    split = split_column(names, columns)
    unnamed = split is None and not of and header is None and len(names) > 2
    split = unnamed_split_column([[first[index], *cells] for index, cells in enumerate(columns)]) if unnamed else split
    left = [index for index in range(len(names)) if index not in of.values() and index != split and names[index]]
    guessed = _by_contents(of, left, columns, first, labelled=labelled)
    of |= guessed
    missing = [kind for kind in ("text", "label") if kind not in of and (kind == "text" or labelled)]
    if missing:
        options = " and ".join(OPTIONS[kind] for kind in missing)
        raise (NoLabels if missing == ["label"] else DataError)(
            f"{name} has no column {' and '.join(missing)}; it has {few(names)}",
            hint=f"name the columns with {options}: by their names, or by their numbers from 1",
        )
    if header is None:
        asked_names = {request.text_column.strip().lower(), request.label_column.strip().lower()} if request else set()
        by_name = len(of) > len(guessed) + len(asked) or bool((asked_names - {""}) & set(names))
        header = by_name or _is_header(names, first, columns, of, None if unnamed else split)
    of |= {"split": split} if split is not None else {}
    notes = [f"{name} has no line of column names: its first line is read as a row"] if not header else []
    notes += [_note(name, kind, index, names, header=header) for kind, index in guessed.items() if len(names) > 1]
    return Columns(of=of, header=header, notes=notes)


def _note(name: str, kind: str, index: int, names: Sequence[str], *, header: bool) -> str:
    column = repr(names[index]) if header else f"number {index + 1}"
    return f"the column {column} of {name} is taken for the {kind}"


def _by_contents(
    of: Mapping[str, int],
    left: Sequence[int],
    columns: Sequence[Sequence[str]],
    first: Sequence[str],
    *,
    labelled: bool,
) -> dict[str, int]:
    """The columns that what lies in them makes certain: the only one left, or the one of two whose values repeat."""
    if not labelled:
        return {"text": left[0]} if "text" not in of and len(left) == 1 else {}
    cells = {index: [first[index].strip(), *columns[index]] for index in left}
    if "text" in of and "label" not in of:
        likely = [index for index in left if repeated(cells[index])]
        return {"label": likely[0]} if len(left) == 1 and likely else {}
    if "label" in of and "text" not in of:
        return {"text": left[0]} if len(left) == 1 else {}
    if not of and len(left) == 2:
        labels = [index for index in left if repeated(cells[index])]
        if len(labels) == 1:
            return {"text": next(index for index in left if index not in labels), "label": labels[0]}
    return {}


def _is_header(
    names: Sequence[str],
    first: Sequence[str],
    columns: Sequence[Sequence[str]],
    of: Mapping[str, int],
    split: int | None,
) -> bool:
    """Whether the first row names the columns: one of its names is known, or its label is no row's label."""
    if split is not None or set(names) & known_names(*of):
        return True
    label = of.get("label")
    return label is not None and first[label].strip() not in columns[label]


def few(names: Sequence[str], *, most: int = 12) -> str:
    """The first of some names: lines of JSON may each have others."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more or "nothing"
