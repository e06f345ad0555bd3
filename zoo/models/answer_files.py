"""Answers kept in a folder: as JSON, as a table, and with the picture and files of each."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from zoo.api.problem import Json
from zoo.api.task import Shown
from zoo.api.untrusted import defused
from zoo.models.answers import Answer
from zoo.runs import atomic

_WORD = re.compile(r"\w{1,40}")


def save_answers(
    folder: Path,
    found: Iterable[Answer],
    *,
    overwrite: bool = False,
    compare: Callable[[Sequence[Answer]], Shown | None] = lambda _: None,
) -> list[Answer]:
    """A new folder with predictions.json, predictions.csv, the picture and the files of every answer that has any.

    They are written as the answers come, so that a large folder of files needs little memory.  What `compare` makes
    of all of them is kept in comparison.json.
    """
    kept: list[Answer] = []

    def fill(place: Path) -> None:
        names: set[str] = set()
        for answer in found:
            kept.append(answer)
            if answer.shown is not None and answer.shown.picture is not None:
                answer.shown.picture.save(place / _free_name(answer.file, names))
            for suffix, data in (answer.shown.files if answer.shown is not None else {}).items():
                (place / _free_name(answer.file, names, suffix=suffix)).write_bytes(data)
        records = [answer.record() for answer in kept]
        (place / "predictions.json").write_text(json.dumps(records, indent=2, ensure_ascii=False) + "\n")
        (place / "predictions.csv").write_text(_as_csv(records))
        if together := compare(kept):
            (place / "comparison.json").write_text(json.dumps(together.record, indent=2, ensure_ascii=False) + "\n")

    atomic.write_directory(folder, fill, overwrite=overwrite, mark="predictions.json")
    return kept


def _free_name(file: Path | str, taken: set[str], *, suffix: str = ".png") -> str:
    """A name for what belongs to a file that no other file of the same name has taken; a text of one word lends it."""
    stem = file.stem if isinstance(file, Path) else file if _WORD.fullmatch(file) else "text"
    name, number = f"{stem}{suffix}", 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}{suffix}"
    taken.add(name)
    return name


def _as_csv(records: Sequence[Mapping[str, Json]]) -> str:
    """A row per file, a column per single value: classes.0.name, classes.0.probability, …"""
    import csv  # noqa: PLC0415  only saving needs it

    rows = [dict(_flat(record)) for record in records]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writerow({column: defused(column) for column in columns})
    writer.writerows({column: defused(value) for column, value in row.items()} for row in rows)
    return text.getvalue()


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
