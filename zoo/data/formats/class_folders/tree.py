"""Folders named after classes: FOLDER/CLASS/*, or FOLDER/{train,val,test}/CLASS/*."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from zoo.api.data import Split
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
from zoo.data.formats.samples import Listing, Row

SPLIT_FOLDERS: Final[dict[str, Split]] = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}


def list_class_folders(root: Path, kind: FileKind = PICTURE_FILES, *, known: Collection[str] = ()) -> Listing:
    """Every file of a kind below a class folder; the class is the name of the folder, whatever lies between.

    `known` are files in `root` that somebody else reads.
    """
    rows: list[Row] = []
    problems: list[BadSample] = []
    looked: list[FolderListing] = []
    for split, folder in split_folders(root, problems):
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
    return Listing(root=root, rows=rows, problems=problems, notes=[*_unused(root), *notes_on(looked)])


def split_folders(root: Path, problems: list[BadSample]) -> Iterator[tuple[Split | None, Path]]:
    """The folders that hold class folders with the split each stands for; (None, root) without a train folder."""
    names = [name for name in subfolders(root) if name in SPLIT_FOLDERS]
    if "train" not in names:
        yield None, root
        return
    twins = [name for name in names if SPLIT_FOLDERS[name] == "validation"]
    if len(twins) > 1:
        problems.append(BadSample(f"{twins[1]}/", f"there is {twins[0]}/ as well", "keep one validation folder"))
    for name in names:
        yield SPLIT_FOLDERS[name], root / name


def _problems(where: str, found: FolderListing) -> list[BadSample]:
    unread = sum(count for suffix, count in found.others.items() if suffix in found.kind.unread)
    if not found.files:
        beside = f" (found {described(found.others)})" if found.others else ""
        return [
            BadSample(
                where,
                f"no {found.kind.plural}{beside}",
                "convert them, or remove the folder" if unread else "remove it",
            )
        ]
    if unread:
        return [BadSample(where, f"{unread} {found.kind.plural} of a kind that cannot be read", found.kind.remedy)]
    return []


def _beside(root: Path, folder: Path, kind: FileKind, known: Collection[str]) -> FolderListing:
    """What lies in `folder` itself, between the class folders, but for the files that are known."""
    found = FolderListing(kind=kind)
    for entry in sorted(folder.iterdir()):
        name = entry.relative_to(root).as_posix()
        if hidden(entry.name):
            found.skipped.append(name)
        elif entry.is_file() and name not in known:
            found.add(name)
    return found


def _unused(root: Path) -> list[str]:
    names = subfolders(root)
    others = [name for name in names if name not in SPLIT_FOLDERS]
    if "train" not in names or not others:
        return []
    return [f"left out the folders {', '.join(others)}: beside train/ only val/ and test/ are read"]
