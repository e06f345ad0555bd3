"""`zoo weights`: what was downloaded, and making room."""

from __future__ import annotations

import click

from zoo.cache import cache_root
from zoo.catalog import Catalog
from zoo.cli import text
from zoo.cli.output import Output, json_option
from zoo.errors import UnknownName, UsageError
from zoo.weights.cached import CachedFile, cached_files


@click.group("weights")
def weights() -> None:
    """The downloaded weights.

    They lie in the folder ZOO_CACHE names; ZOO_OFFLINE=1 downloads nothing, ZOO_MIRROR is the address of a copy.
    """


@weights.command("list")
@json_option
def list_weights(as_json: bool) -> None:
    """What was downloaded, broken off downloads included."""
    out = Output(as_json=as_json)
    found = cached_files(Catalog.discover())
    folder = cache_root() / "weights"
    out.document({"schema": 1, "folder": str(folder), "files": [_record(one) for one in found]})
    if found:
        out.table(("weights", "size", "", "file"), [_row(one) for one in found], right=("size",))
        out.next(f"zoo weights clear {found[0].name}")
    else:
        out.note(f"nothing was downloaded to {folder}")
        out.next("zoo list --weights")


@weights.command("clear")
@click.argument("names", nargs=-1, metavar="[WEIGHTS]...")
@click.option("--all", "everything", is_flag=True, help="Everything that was downloaded.")
@json_option
def clear_weights(names: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Delete downloaded weights, named as in `zoo weights list`."""
    out = Output(as_json=as_json)
    if everything == bool(names):
        raise UsageError("say which weights to delete, or --all of them", hint="zoo weights list")
    found = cached_files(Catalog.discover())
    chosen = found if everything else [_named(name, found) for name in names]
    freed = sum(one.remove() for one in chosen)
    out.document({"schema": 1, "removed": [one.name for one in chosen], "bytes": freed})
    out.line(f"deleted {len(chosen)} of {len(found)} downloads, {text.size(freed)}")
    out.next("zoo weights list")


def _named(name: str, found: tuple[CachedFile, ...]) -> CachedFile:
    for one in found:
        if name in (one.name, str(one.path), one.offer.full_name if one.offer else ""):
            return one
    raise UnknownName(
        f"{name} was not downloaded", hint=f"in the cache: {', '.join(one.name for one in found) or 'nothing'}"
    )


def _row(one: CachedFile) -> tuple[str, ...]:
    return (one.name, text.size(one.size), "" if one.whole else "broken off", str(one.path))


def _record(one: CachedFile) -> dict[str, object]:
    return {
        "name": one.offer.full_name if one.offer else None,
        "path": str(one.path),
        "size": one.size,
        "whole": one.whole,
    }
