"""`zoo diff`: how two bundles or two .onnx files differ."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from shlex import quote

import click

from zoo.api.errors import BadFile
from zoo.cli.terminal.options import json_option
from zoo.cli.terminal.output import Output

SCHEMA = 1
SHOWN = 20


@click.command("diff")
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@json_option
def diff(first: Path, second: Path, as_json: bool) -> None:
    """How two bundles, or two .onnx files, differ.

    Compares inputs and outputs, operators, metadata, weights and answers; of bundles the record and the golden cases
    too. Exit code 0: they do not differ. 1: they do.
    """
    from zoo.bundle.runtime.diff import differences  # noqa: PLC0415  `zoo diff --help` needs none of it
    from zoo.runs.serialization import to_json  # noqa: PLC0415

    for path in (first, second):
        if not path.exists():
            raise BadFile(f"{path} does not exist", hint="give two bundles, or two .onnx files")
    out = Output(as_json=as_json)
    changes = differences(first, second)
    if as_json:
        records = [to_json(change) for change in changes]
        out.document({"schema": SCHEMA, "first": str(first), "second": str(second), "changes": records})
    for part, changes_of in groupby(changes, key=lambda change: change.part):
        rows = [(change.name, change.first, change.second) for change in changes_of]
        out.line(f"{part}: {len(rows)} differ" if len(rows) > 1 else f"{part}: 1 differs")
        out.table(("", "first", "second"), rows[:SHOWN])
        out.line(f"… and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")
    if changes:
        out.next(f"zoo inspect {quote(str(second))}")
        raise click.exceptions.Exit(1)
    out.line("no difference")
    out.next(f"zoo verify {quote(str(second))}")
