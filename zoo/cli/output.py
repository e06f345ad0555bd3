"""What commands print: lines and tables for people on stdout, or one JSON document there and all else on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from zoo.cli.text import visible
from zoo.errors import UsageError

DOCUMENT = "zoo.document"
"""The key in click's context under which a command leaves its JSON document for `main` to print."""

F = TypeVar("F", bound=Callable[..., Any])


def checkpoint_option(command: F) -> F:
    """The option --checkpoint, given to the command as `checkpoint`."""
    choice = click.Choice(["best", "last"])
    return click.option("--checkpoint", type=choice, default="best", show_default=True, help="Of a run.")(command)


def device_option(command: F) -> F:
    """The option --device, given to the command as `device`."""
    return click.option("--device", default="auto", show_default=True, help="cpu, cuda, mps or auto.")(command)


def no_device(device: str) -> None:
    """UsageError for a device that was named where there is none to choose: ONNX Runtime answers for a bundle."""
    if device not in ("auto", "cpu"):
        raise UsageError(f"--device {device} is for runs and weights; a bundle is run by ONNX Runtime on the CPU")


def json_option(command: F) -> F:
    """The option --json, given to the command as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON document.")(command)


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
        print(f"next: {command}", file=sys.stderr if self.as_json else sys.stdout)

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> None:
        """Aligned columns, for people; `right` names those that hold numbers."""
        rows = [tuple(map(visible, row)) for row in rows]
        if self.on_terminal:
            _rich_table(header, rows, right=right)
        elif not self.as_json:
            print("\n".join(plain_table(header, rows, right=right)))

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Names and values in two columns, for people; pairs without a value are left out."""
        kept = [(name, " ".join(value.splitlines())) for name, value in pairs if value]
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
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    numeric = [name in right for name in header]
    return [
        "  ".join(
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    ]


def _rich_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str]) -> None:
    from rich.console import Console  # noqa: PLC0415  only a terminal pays for it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in header:
        # the first column is what people copy: it is never broken
        table.add_column(name, justify="right" if name in right else "left", overflow="fold", no_wrap=name == header[0])
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
