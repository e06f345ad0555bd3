"""Folders named after classes: FOLDER/CLASS/*, or FOLDER/{train,val,test}/CLASS/*."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from zoo.api.data import DataRequest
from zoo.api.errors import BadSample
from zoo.data.formats.folders import (
    PICTURE_FILES,
    FileKind,
    FolderListing,
    contents,
    described,
    hidden,
    notes_on,
    subfolders,
)
from zoo.data.formats.parts import find_parts
from zoo.data.formats.samples import Listing, Row


def list_class_folders(
    root: Path,
    kind: FileKind = PICTURE_FILES,
    *,
    known: Collection[str] = (),
    request: DataRequest | None = None,
) -> Listing:
    """Every file of a kind below a class folder; the class is the name of the folder, whatever lies between.

    `known` are files in `root` that somebody else reads.  `request` may name the folders of the splits.
    """
    parts = find_parts(root, labelled=True, kind=kind, request=request)
    rows: list[Row] = []
    problems: list[BadSample] = [*parts.problems]
    looked: list[FolderListing] = []
    for split, folder in parts.folders:
        beside = _beside(root, folder, kind, known)
        looked.append(beside)
        if beside.files:
            reason = f"{len(beside.files)} {kind.plural} lie outside every class folder"
            problems.append(BadSample(beside.files[0], reason, "move them into one"))
        for name in subfolders(folder):
            found = contents(root, folder / name, kind=kind)
            looked.append(found)
            rows += [Row(file, name, split) for file in found.files]
            problems += _problems(f"{(folder / name).relative_to(root).as_posix()}/", found)
    return Listing(root=root, rows=rows, problems=problems, notes=[*parts.notes, *notes_on(looked)])


def _problems(where: str, found: FolderListing) -> list[BadSample]:
    unread = len(found.unread)
    if not found.files:
        beside = f" (found {described(found.others)})" if found.others else ""
        add = f"{found.kind.remedy}" if unread else f"add {found.kind.plural}"
        fix = f"{add}; if it is no class, --train names the folder that holds the classes"
        return [BadSample(where, f"no {found.kind.plural}{beside}", fix)]
    if unread:
        return [BadSample(where, f"{unread} {found.kind.plural} of a kind that cannot be read", found.kind.remedy)]
    return []


def _beside(root: Path, folder: Path, kind: FileKind, known: Collection[str]) -> FolderListing:
    """What lies in `folder` itself, between the class folders, but for the files that are known."""
    found = FolderListing(kind=kind)
    for entry in sorted(folder.iterdir()):
        name = entry.relative_to(root).as_posix()
        if hidden(entry.name, folder=entry.is_dir()):
            found.skipped.append(name)
        elif entry.is_file() and name not in known:
            found.add(name)
    return found
