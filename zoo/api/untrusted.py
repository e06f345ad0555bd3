"""Text from elsewhere (names of classes and files, metadata, messages) made harmless for where it is shown."""

from __future__ import annotations

import re

_UNSEEN = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
"""What moves a terminal's cursor, changes its colours or turns its text round, and bytes of a file's name that are no
text; line feeds and tabs are none."""
_BREAKING = re.compile(f"[{_UNSEEN}]")
_BREAKING_LINES = re.compile(f"[\t\n{_UNSEEN}]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def visible(text: str) -> str:
    """A text of one or many lines with its other control characters spelled out, as in \\x1b."""
    return _BREAKING.sub(_spelled, text)


def one_line(text: str) -> str:
    """A name with all its control characters spelled out, line feeds among them: it cannot pose as another line."""
    return _BREAKING_LINES.sub(_spelled, text)


def escaped_json(text: str) -> str:
    """A JSON document with the control characters inside its strings as \\u escapes; the same value."""
    return _BREAKING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def defused(cell: object) -> object:
    """A cell of a CSV; an apostrophe before a text that a spreadsheet would take for a formula, others as `visible`."""
    if not isinstance(cell, str):
        return cell
    return f"'{visible(cell)}" if cell.startswith(_FORMULA) else visible(cell)


def _spelled(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
