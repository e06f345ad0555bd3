"""Results as HTML for notebooks: a small table, everything escaped, no script and no style of its own."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from zoo.api.untrusted import visible


def facts_html(title: str, facts: Iterable[tuple[str, str]]) -> str:
    """A title over a table of names and values; facts without a value are left out."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(visible(name))}</th>"
        f"<td style='text-align:left'>{escape(visible(value))}</td></tr>"
        for name, value in facts
        if value
    )
    return f"<div><strong>{escape(visible(title))}</strong><table>{rows}</table></div>"
