"""A folder of pictures without labels; train, val and test folders in it are honoured."""

from __future__ import annotations

from pathlib import Path

from zoo.api.errors import BadSample
from zoo.data.formats.class_folders.tree import split_folders
from zoo.data.formats.folders import UNREAD_PICTURES, contents, notes_on
from zoo.data.formats.samples import Listing, Row


def list_pictures(root: Path) -> Listing:
    """Every picture below `root`."""
    problems: list[BadSample] = []
    rows: list[Row] = []
    looked = []
    for split, folder in split_folders(root, problems):
        found = contents(root, folder)
        looked.append(found)
        rows += [Row(name, split=split) for name in found.files]
        unread = sum(count for suffix, count in found.others.items() if suffix in UNREAD_PICTURES)
        if unread:
            where = f"{folder.name}/"
            problems.append(
                BadSample(where, f"{unread} pictures of a kind that cannot be read", "convert them to JPEG or PNG")
            )
    return Listing(root=root, rows=rows, problems=problems, notes=notes_on(looked))
