"""A folder of pictures without labels; train, val and test folders in it are honoured."""

from __future__ import annotations

from pathlib import Path

from zoo.api.data import DataRequest
from zoo.api.errors import BadSample
from zoo.data.formats.folders import contents, notes_on
from zoo.data.formats.parts import find_parts
from zoo.data.formats.samples import Listing, Row


def list_pictures(root: Path, *, request: DataRequest | None = None) -> Listing:
    """Every picture below `root`; `request` may name the folders of the splits."""
    parts = find_parts(root, labelled=False, request=request)
    problems: list[BadSample] = [*parts.problems]
    rows: list[Row] = []
    looked = []
    for split, folder in parts.folders:
        found = contents(root, folder)
        looked.append(found)
        rows += [Row(name, split=split) for name in found.files]
        if found.unread:
            where = f"{folder.name}/"
            problems.append(
                BadSample(
                    where, f"{len(found.unread)} pictures of a kind that cannot be read", "convert them to JPEG or PNG"
                )
            )
    return Listing(root=root, rows=rows, problems=problems, notes=[*parts.notes, *notes_on(looked)])
