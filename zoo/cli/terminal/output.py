"""What commands print: lines and tables for people on stdout, or one JSON document there and all else on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import click

from zoo.api.untrusted import one_line, visible
from zoo.runs.terminal import INDENT, folded, folded_command, folded_words, padded, terminal_columns, width_of

NARROWEST = 8
"""Values are not folded into fewer characters than this."""
PROMPT_LINES = 3
"""What stands on the terminal below a table: notes, the next command, the prompt."""
USUAL = 80
"""Columns of a terminal that does not say how many it has."""
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
            for line in visible(text).split("\n"):
                print("\n".join(folded(line, terminal_columns(sys.stdout))))

    def note(self, text: str) -> None:
        """One line beside the answer, on stderr; nothing for an empty text."""
        for line in visible(text).split("\n") if text else ():
            print("\n".join(folded(line, terminal_columns(sys.stderr))), file=sys.stderr)

    def next(self, command: str) -> None:
        """The next useful command; every command ends with one."""
        stream = sys.stderr if self.as_json else sys.stdout
        print("\n".join(folded_command(one_line(f"next: {command}"), terminal_columns(stream))), file=stream)

    def table(
        self,
        header: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        right: Sequence[str] = (),
        paged: bool = False,
    ) -> None:
        """Aligned columns, for people; `right` names those that hold numbers.

        `paged` shows a table that is longer than the terminal in the pager of PAGER, as `less`.
        """
        rows = [tuple(map(one_line, row)) for row in rows]
        if self.on_terminal:
            width, height = terminal_columns(sys.stdout) or USUAL, _terminal_lines()
            first, *others = folded_table(header, rows, right=right, width=width)
            lines = [click.style(first, bold=True), *others]
            if paged and len(lines) + PROMPT_LINES > height:
                _show_in_pager(lines)
            else:
                print("\n".join(lines))
        elif not self.as_json:
            print("\n".join(plain_table(header, rows, right=right)))

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Names and values in two columns, for people; pairs without a value are left out."""
        kept = [(one_line(name), one_line(" ".join(value.split("\n")))) for name, value in pairs if value]
        for line in fact_lines(kept, width=terminal_columns(sys.stdout) if self.on_terminal else None):
            if not self.as_json:
                print(visible(line))

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
    """The same in so many columns: cells are folded between words, but never the first, which people copy.

    Where the words are too long for the columns, the cells of a row stand below each other instead: no word and no
    address is ever split.
    """
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = _widths(lines)
    least = [widths[0], *(max(_longest_word(cell) for cell in column) for column in list(zip(*lines, strict=True))[1:])]
    while _total(widths) > width and widths != least:
        widths[max(range(len(widths)), key=lambda index: widths[index] * (widths[index] > least[index]))] -= 1
    if _total(widths) > width and len(header) > 1:
        return [header[0], *(line for row in lines[1:] for line in _stacked(header, row, width))]
    folded = []
    for first, *others in lines:
        cells = [[first], *(_folded(cell, wide) for cell, wide in zip(others, widths[1:], strict=True))]
        folded += [_aligned(line, widths, header, right) for line in zip_longest(*cells, fillvalue="")]
    return folded


def fact_lines(pairs: Sequence[tuple[str, str]], *, width: int | None) -> list[str]:
    """Names and values in two columns; in so many columns, values are folded between words."""
    column = max((width_of(name) for name, _ in pairs), default=0) + 2
    lines = []
    for name, value in pairs:
        room = None if width is None else max(width - column, NARROWEST)
        if room and width and room < _longest_word(value) <= width - len(INDENT):  # a hash, under its name
            lines += [name, *(f"{INDENT}{line}" for line in folded_words(value, width - len(INDENT)))]
            continue
        first, *more = [value] if room is None else _folded(value, room)
        lines += [f"{padded(name, column)}{first}", *(" " * column + line for line in more)]
    return lines


def _stacked(header: Sequence[str], row: Sequence[str], width: int) -> list[str]:
    """A row as its first cell, and below it a line for each other cell that holds anything."""
    pairs = [(name, cell) for name, cell in zip(header[1:], row[1:], strict=True) if cell]
    return [row[0], *(f"  {line}" for line in fact_lines(pairs, width=width - 2))]


def _folded(cell: str, width: int) -> list[str]:
    """The lines of a cell, broken between words alone."""
    return folded_words(cell, width) if width_of(cell) > width else [cell]


def _terminal_lines() -> int:
    """How many lines the terminal has."""
    from shutil import get_terminal_size  # noqa: PLC0415  only a terminal has a height; brings the packers of archives

    return get_terminal_size().lines


def _show_in_pager(lines: Sequence[str]) -> None:
    """The lines in a pager, which keeps colours and long lines; PAGER=cat prints them as they are."""
    os.environ.setdefault("LESS", "-RS")
    click.echo_via_pager("\n".join(lines) + "\n")


def _longest_word(cell: str) -> int:
    return max(map(width_of, cell.split()), default=0)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + 2 * (len(widths) - 1)


def _widths(lines: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(width_of, column)) for column in zip(*lines, strict=True)]


def _aligned(line: Sequence[str], widths: Sequence[int], header: Sequence[str], right: Sequence[str]) -> str:
    cells = zip(line, widths, header, strict=True)
    return "  ".join(padded(cell, wide, right=name in right) for cell, wide, name in cells).rstrip()
