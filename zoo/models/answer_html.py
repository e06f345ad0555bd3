"""Answers as HTML for notebooks: each with its picture, where it has one.  Torch-free."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Final

from zoo.api.task import Shown
from zoo.bundle.report.html import Html, element, joined, picture

MOST: Final = 50
"""Answers that are shown; of more, only their number is said."""

Row = tuple[str, Shown | None, str]
"""A title, and the answer or why there is none."""


def answers_html(rows: Sequence[Row]) -> str:
    """A table with a row for each answer: what was asked, the answer as text, its picture."""
    body = [element("tr", *(element("td", cell) for cell in _cells(row))) for row in rows[:MOST]]
    more = f"and {len(rows) - MOST} more" if len(rows) > MOST else ""
    return element("div", element("table", *body), more)


def _cells(row: Row) -> tuple[str, Html, Html]:
    title, shown, unreadable = row
    if shown is None:
        return title, joined((unreadable,)), Html("")
    memory = BytesIO()
    if shown.picture is not None:
        shown.picture.save(memory, "png")
    image = picture(memory.getvalue(), alt=title) if shown.picture is not None else Html("")
    return title, element("pre", shown.text), image
