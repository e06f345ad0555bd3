"""Answers kept: a table alone, or a folder with JSON, a table, and the picture and files of each."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from zoo.api.errors import OutputExists
from zoo.api.task import Shown
from zoo.api.untrusted import defused, escaped_json
from zoo.models.answers import Answer
from zoo.runs import atomic

_WORD = re.compile(r"\w{1,40}")
_ODD = re.compile(r"[^\w.-]+")


def save_answers(
    place: Path,
    given: Iterable[Answer],
    *,
    overwrite: bool = False,
    compare: Callable[[Sequence[Answer]], Shown | None] = lambda _: None,
) -> list[Answer]:
    """A new .csv or .json file of the answers; at any other place a new folder with both, and more.

    The folder holds predictions.json, predictions.csv, the picture and the files of every answer that has any, and
    comparison.json, what `compare` makes of all of them.  Pictures and files are written as the answers come, so that
    many answers need little memory.
    """
    if place.suffix.lower() in TABLES:
        _check_file(place, overwrite=overwrite)
        kept = list(given)
        atomic.write_text(place, TABLES[place.suffix.lower()](kept))
        return kept
    kept = []

    def fill(folder: Path) -> None:
        names: set[str] = set()
        for answer in given:
            shown = answer.shown
            if shown is not None and shown.picture is not None:
                shown.picture.save(folder / _free_name(answer, names))
            for suffix, data in (shown.files if shown is not None else {}).items():
                (folder / _free_name(answer, names, suffix=suffix)).write_bytes(data)
            kept.append(answer if shown is None else replace(answer, shown=replace(shown, picture=None, files={})))
        (folder / "predictions.json").write_text(as_json(kept), encoding="utf-8")
        (folder / "predictions.csv").write_text(as_csv(kept), encoding="utf-8")
        if together := compare(kept):
            (folder / "comparison.json").write_text(_json(together.record), encoding="utf-8")

    atomic.write_directory(place, fill, overwrite=overwrite, mark="predictions.json")
    return kept


def as_json(answers: Sequence[Answer]) -> str:
    """A list with an object for each answer."""
    return _json([answer.record() for answer in answers])


def _json(value: object) -> str:
    return escaped_json(json.dumps(value, indent=2, ensure_ascii=False)) + "\n"


def as_csv(answers: Sequence[Answer]) -> str:
    """A row for each answer, or for each thing found; a column for each value: classes.0.name, classes.0.probability.

    A text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    import csv  # noqa: PLC0415  only saving needs it

    rows = [dict(_flat(row)) for answer in answers for row in answer.rows()]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writerow({column: defused(column) for column in columns})
    writer.writerows({column: defused(value) for column, value in row.items()} for row in rows)
    return text.getvalue()


TABLES: Final[Mapping[str, Callable[[Sequence[Answer]], str]]] = {".csv": as_csv, ".json": as_json}
"""How the answers are written into a file of this suffix."""


def _check_file(place: Path, *, overwrite: bool) -> None:
    if place.is_dir() or (place.exists() and not overwrite):
        hint = "choose another place with --save" + ("" if place.is_dir() else ", or say --overwrite")
        raise OutputExists(f"{place} exists already", hint=hint)


def _free_name(answer: Answer, taken: set[str], *, suffix: str = ".png") -> str:
    """A name for what belongs to an answer that no other answer has taken; a text of one word lends it."""
    stem = _stem(answer)
    name, number = f"{stem}{suffix}", 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}{suffix}"
    taken.add(name)
    return name


def _stem(answer: Answer) -> str:
    """The name of the file or of the word, with the item where there are many: clip-frame-12."""
    text = str(answer.file)
    if answer.is_text:
        stem = text if _WORD.fullmatch(text) else "text"
    elif isinstance(answer.file, Path):
        stem = answer.file.stem
    else:
        stem = _ODD.sub("-", Path(urlsplit(text).path).stem).strip("-")[:60] or "input"
    return f"{stem}-{_ODD.sub('-', answer.item)}" if answer.item else stem


def _flat(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    pairs: Iterable[tuple[object, object]]
    match value:
        case Mapping():
            pairs = value.items()
        case list() | tuple():
            pairs = enumerate(value)
        case _:
            yield name, value
            return
    for key, inner in pairs:
        yield from _flat(inner, f"{name}.{key}" if name else str(key))
