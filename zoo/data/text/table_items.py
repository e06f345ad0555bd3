"""The texts of a table or of JSON Lines as items to answer, one a row.  Torch-free."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.data import DataRequest
from zoo.api.errors import BadFile, BadSample, DataError
from zoo.api.parts import FileItem
from zoo.api.problem import Problem
from zoo.data.formats.text.rows import TABLES, Found, TextRow, named_files, read_table

if TYPE_CHECKING:
    from zoo.api.task import Arrays


def is_table(path: Path) -> bool:
    """Whether a file holds a text a row: CSV, TSV, JSON Lines."""
    return path.suffix.lower() in TABLES


def encoding_fact(problem: Problem) -> str:
    """What files of text are in, as the user said; empty for UTF-8."""
    encoding = problem.facts.get("encoding")
    return encoding if isinstance(encoding, str) else ""


def table_items(path: Path, problem: Problem, read_text: Callable[[str, Problem], Arrays]) -> Sequence[FileItem]:
    """An item for every row, "row 1" being the first below the names of the columns; a row that is no text says why.

    The column of the texts is known by its name, or is `text_column` of the problem's facts.  BadFile for no table.
    """
    column, encoding = problem.facts.get("text_column"), encoding_fact(problem)
    request = DataRequest(source=str(path), text_column=column if isinstance(column, str) else "", encoding=encoding)
    try:
        entries = list(read_table(path, labelled=False, request=request))
    except (DataError, OSError) as error:
        reason, hint = (error.message, error.hint) if isinstance(error, DataError) else (str(error), "")
        raise BadFile(f"{path} cannot be read as a table: {reason}", hint=hint) from error
    rows = [entry for entry in entries if isinstance(entry, TextRow)]
    if kind := named_files(row.text for row in rows):
        raise BadFile(
            f"the texts of {path} are names of {kind}, such as {rows[0].text}",
            hint="say --text-column for another column, or give the files themselves to a model that reads them",
        )
    items = list(_items(entries, problem, read_text))
    if not items:
        raise BadFile(f"{path} has no rows")
    return items


def _items(
    entries: Sequence[Found], problem: Problem, read_text: Callable[[str, Problem], Arrays]
) -> Iterator[FileItem]:
    rows = (entry for entry in entries if isinstance(entry, TextRow | BadSample))
    for number, row in enumerate(rows, 1):
        name = f"row {number}"
        if isinstance(row, BadSample):
            yield FileItem(inputs={}, name=name, unreadable=f"{row.where}: {row.reason}; {row.fix}")
            continue
        try:
            yield FileItem(inputs=read_text(row.text, problem), name=name)
        except (BadFile, ValueError) as error:
            yield FileItem(inputs={}, name=name, unreadable=f"{row.where}: {error}")
