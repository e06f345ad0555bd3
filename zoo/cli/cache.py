"""`zoo cache`: what zoo keeps so as not to work it out again, and emptying it."""

from __future__ import annotations

import click

from zoo.api.data import counted
from zoo.cli.terminal import text
from zoo.cli.terminal.options import json_option
from zoo.cli.terminal.output import Output
from zoo.runs.kept_files import MAX_BYTES, clear, entries, kept_folder


@click.group("cache")
def cache() -> None:
    """What zoo keeps for a second proof of the same target: captured graphs, PyTorch's answers.

    It lies in the folder ZOO_CACHE names; ZOO_KEEP=0 keeps nothing. `zoo data cache` and `zoo weights` have their own.
    """


@cache.command("show")
@json_option
def show(as_json: bool) -> None:
    """How much is kept, and where."""
    out = Output(as_json=as_json)
    sizes = [path.stat().st_size for path in entries()]
    out.document({"schema": 1, "folder": str(kept_folder()), "entries": len(sizes), "bytes": sum(sizes)})
    kept = counted(len(sizes), "entry", "entries")
    out.line(f"{kept}, {text.size(sum(sizes))} of at most {text.size(MAX_BYTES)}, in {kept_folder()}")
    out.next("zoo cache clear" if sizes else "zoo export --onnx")


@cache.command("clear")
@json_option
def clear_cache(as_json: bool) -> None:
    """Remove all of it; the next proof works it out again."""
    out = Output(as_json=as_json)
    removed = clear()
    out.document({"schema": 1, "removed": removed})
    out.line(f"removed {counted(removed, 'entry', 'entries')} from {kept_folder()}")
    out.next("zoo cache show")
