"""Lines on a terminal: folded between words, commands so that they can still be copied; piped text is left as it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import TextIO

INDENT = "  "
_COLUMNS = re.compile(r"(?<=\S)\s{2,}(?=\S)")
_COMMAND = re.compile(r"(?:^|(?<=: ))zoo [a-z]+ .*$")
_WORDS = re.compile(r"(?:'[^']*'|\"[^\"]*\"|[^\s'\"])+")


def terminal_columns(stream: TextIO) -> int | None:
    """How many columns a terminal has; None for a file or a pipe, whose lines may have any length."""
    if not stream.isatty():
        return None
    from shutil import get_terminal_size  # noqa: PLC0415  only a terminal has a width; brings the packers of archives

    return get_terminal_size().columns


def width_of(text: str) -> int:
    """The columns that a text takes: wide letters of East Asia two, accents of their own none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def padded(text: str, width: int, *, right: bool = False) -> str:
    """A text filled up with blanks to so many columns."""
    blanks = " " * max(width - width_of(text), 0)
    return blanks + text if right else text + blanks


def folded(text: str, width: int | None) -> list[str]:
    """The lines of one: broken where columns meet, else between words; a command at its end gets a line of its own."""
    if width is None or width_of(text) <= width:
        return [text]
    if command := _COMMAND.search(text):
        head = text[: command.start()].rstrip()
        return [
            *(folded(head, width) if head else []),
            *folded_command(command[0], width, first=INDENT if head else ""),
        ]
    first = text[: len(text) - len(text.lstrip())]
    columns = _COLUMNS.split(text.strip())
    if len(columns) > 1:
        return _packed(columns, width, first=first, between=INDENT)
    return _packed(text.split(), width, first=first, between=" ")


def folded_command(command: str, width: int | None, *, first: str = "") -> list[str]:
    """The lines of a command, each but the last with the backslash that joins them in a shell."""
    if width is None or width_of(first + command) <= width:
        return [first + command]
    words: list[str] = []
    for word in _WORDS.findall(command):
        if words and words[-1].startswith("-") and " " not in words[-1] and not word.startswith("-"):
            words[-1] += f" {word}"  # an option stays with its value
        else:
            words.append(word)
    lines = _packed(words, width - 2, first=first, between=" ")
    return [*(f"{line} \\" for line in lines[:-1]), lines[-1]]


def _packed(parts: Iterable[str], width: int, *, first: str, between: str) -> list[str]:
    """As many parts on each line as it has room for; a column that is too long is broken between words."""
    lines: list[str] = []
    line = first
    for part in parts:
        joined = f"{line}{between}{part}" if line.strip() else line + part
        if width_of(joined) <= width:
            line = joined
            continue
        lines += [line] if line.strip() else []
        start = first + INDENT if lines else first
        line = start + part
        if width_of(line) > width and " " in part:
            *whole, line = _packed(part.split(), width, first=start, between=" ")
            lines += whole
    return [*lines, line]
