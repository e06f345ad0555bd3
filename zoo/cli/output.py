"""What commands print: lines and tables for people on stdout, or one JSON document there and all else on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from shutil import get_terminal_size
from textwrap import wrap

import click

from zoo.api.untrusted import one_line, visible

NARROWEST = 8
"""Columns are not folded into fewer characters than this."""
DOCUMENT = "zoo.document"
"""The key in click's context under which a command leaves its JSON document for `main` to print."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """How one command speaks.  Under --json the answer is the document alone, and the rest goes to stderr."""

    as_json: bool = False

    @property
    def on_terminal(self) -> bool:
        """True where colours and live lines make sense."""
        return not self.as_json and sys.stdout.isatty()

    def line(self, text: str = "") -> None:
        """One line of the answer, for people."""
        if not self.as_json:
            print(visible(text))

    def note(self, text: str) -> None:
        """One line beside the answer, on stderr; nothing for an empty text."""
        if text:
            print(visible(text), file=sys.stderr)

    def next(self, command: str) -> None:
        """The next useful command; every command ends with one."""
        print(one_line(f"next: {command}"), file=sys.stderr if self.as_json else sys.stdout)

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> None:
        """Aligned columns, for people; `right` names those that hold numbers."""
        rows = [tuple(map(one_line, row)) for row in rows]
        if self.on_terminal:
            first, *others = folded_table(header, rows, right=right, width=get_terminal_size().columns)
            print("\n".join([click.style(first, bold=True), *others]))
        elif not self.as_json:
            print("\n".join(plain_table(header, rows, right=right)))

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Names and values in two columns, for people; pairs without a value are left out."""
        kept = [(one_line(name), one_line(" ".join(value.split("\n")))) for name, value in pairs if value]
        width = max((len(name) for name, _ in kept), default=0)
        for name, value in kept:
            self.line(f"{name.ljust(width)}  {value}")

    def document(self, value: object) -> None:
        """The command's answer under --json; the last one given is printed when the command is done."""
        if self.as_json:
            click.get_current_context().meta[DOCUMENT] = value


def plain_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> list[str]:
    """The lines of a table without frames, two spaces between columns."""
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = _widths(lines)
    return [_aligned(line, widths, header, right) for line in lines]


def folded_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = (), width: int
) -> list[str]:
    """The same in so many columns: cells are broken where they must, but never the first, which people copy."""
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = _widths(lines)
    while sum(widths) + 2 * (len(widths) - 1) > width and max(widths[1:], default=0) > NARROWEST:
        widths[max(range(1, len(widths)), key=widths.__getitem__)] -= 1
    folded = []
    for first, *others in lines:
        pairs = zip(others, widths[1:], strict=True)
        cells = [[first], *([cell] if len(cell) <= wide else wrap(cell, wide) for cell, wide in pairs)]
        folded += [_aligned(line, widths, header, right) for line in zip_longest(*cells, fillvalue="")]
    return folded


def _widths(lines: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*lines, strict=True)]


def _aligned(line: Sequence[str], widths: Sequence[int], header: Sequence[str], right: Sequence[str]) -> str:
    cells = zip(line, widths, header, strict=True)
    return "  ".join(cell.rjust(wide) if name in right else cell.ljust(wide) for cell, wide, name in cells).rstrip()
