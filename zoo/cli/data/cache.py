"""`zoo data cache`: the resized pictures that are kept on the disk, and making room."""

from __future__ import annotations

import time

import click

from zoo.cli.terminal import text
from zoo.cli.terminal.options import json_option
from zoo.cli.terminal.output import Output
from zoo.data.image.picture_cache import KeptSplit, cache_limit, folder, kept_splits


@click.command("cache")
@click.option("--clear", is_flag=True, help="Delete all of them; they are made again when they are needed.")
@json_option
def cache(*, clear: bool, as_json: bool) -> None:
    """Show the resized pictures that trainings and evaluations keep, or delete them.

    They lie in the folder ZOO_CACHE names; ZOO_PICTURE_CACHE is the most they may take (20GB; 0 keeps nothing).
    """
    out, limit, splits = Output(as_json=as_json), cache_limit(), kept_splits()
    if clear:
        freed = sum(split.remove() for split in splits)
        left = kept_splits()
        splits_left = [_record(split) for split in left]
        out.document({"schema": 1, "folder": str(folder()), "limit": limit, "bytes": freed, "splits": splits_left})
        out.line(f"deleted {len(splits) - len(left)} of {len(splits)} splits, {text.size(freed)}")
        return
    records = [_record(split) for split in splits]
    out.document({"schema": 1, "folder": str(folder()), "limit": limit, "splits": records})
    taken = sum(split.size for split in splits)
    if not splits:
        out.note(f"no pictures are kept in {folder()}")
        return
    rows = [(split.about, f"{split.pictures:,}", text.size(split.size), _day(split.used)) for split in splits]
    out.table(("pictures of", "number", "size", "last used"), rows, right=("number", "size"))
    out.line(f"{text.size(taken)} of at most {text.size(limit)} in {folder()}")
    out.next("zoo data cache --clear")


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _record(split: KeptSplit) -> dict[str, object]:
    return {
        "path": str(split.path),
        "about": split.about,
        "pictures": split.pictures,
        "bytes": split.size,
        "used": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(split.used)),
    }
