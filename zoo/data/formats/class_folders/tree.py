"""Folders of pictures: FOLDER/CLASS/*, FOLDER/{train,val,test}/CLASS/*, or pictures without classes."""

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
    is_about,
    notes_on,
    subfolders,
)
from zoo.data.formats.parts import find_parts
from zoo.data.formats.samples import FileListing, FileRow


def list_class_folders(
    root: Path,
    kind: FileKind = PICTURE_FILES,
    *,
    known: Collection[str] = (),
    request: DataRequest | None = None,
) -> FileListing:
    """Every file of a kind below a class folder; the class is the name of the folder, whatever lies between.

    `known` are files in `root` that another reader reads.  `request` may name the folders of the splits.
    """
    parts = find_parts(root, labelled=True, kind=kind, request=request, known=known)
    rows: list[FileRow] = []
    problems: list[BadSample] = [*parts.problems]
    listings: list[FolderListing] = []
    for split, folder in parts.folders:
        beside = _beside(root, folder, kind, known)
        listings.append(beside)
        if beside.files:
            reason = f"{len(beside.files)} {kind.plural} lie outside every class folder"
            problems.append(BadSample(beside.files[0], reason, "move them into one"))
        for name in subfolders(folder):
            listing = contents(root, folder / name, kind=kind)
            listings.append(listing)
            rows += [FileRow(file, name, split) for file in listing.files]
            problems += _problems(f"{(folder / name).relative_to(root).as_posix()}/", listing)
    return FileListing(root=root, rows=rows, problems=problems, notes=[*parts.notes, *notes_on(listings)])


def list_pictures(root: Path, *, request: DataRequest | None = None) -> FileListing:
    """Every picture below `root`; `request` may name the folders of the splits."""
    parts = find_parts(root, labelled=False, request=request)
    problems: list[BadSample] = [*parts.problems]
    rows: list[FileRow] = []
    listings = []
    for split, folder in parts.folders:
        listing = contents(root, folder)
        listings.append(listing)
        rows += [FileRow(name, split=split) for name in listing.files]
        if listing.unread:
            where = f"{folder.name}/"
            problems.append(
                BadSample(
                    where,
                    f"{len(listing.unread)} pictures of a kind that cannot be read",
                    listing.remedy,
                )
            )
    return FileListing(root=root, rows=rows, problems=problems, notes=[*parts.notes, *notes_on(listings)])


def _problems(where: str, listing: FolderListing) -> list[BadSample]:
    unread = len(listing.unread)
    if not listing.files:
        beside = f" (found {described(listing.others)})" if listing.others else ""
        add = f"{listing.remedy}" if unread else f"add {listing.kind.plural}"
        fix = f"{add}; if it is no class, --train names the folder that holds the classes"
        return [BadSample(where, f"no {listing.kind.plural}{beside}", fix)]
    if unread:
        return [BadSample(where, f"{unread} {listing.kind.plural} of a kind that cannot be read", listing.remedy)]
    return []


def _beside(root: Path, folder: Path, kind: FileKind, known: Collection[str]) -> FolderListing:
    """What lies in `folder` itself, between the class folders, but for the files that are known."""
    listing = FolderListing(kind=kind)
    for entry in sorted(folder.iterdir()):
        name = entry.relative_to(root).as_posix()
        if hidden(entry.name, folder=entry.is_dir()):
            listing.skipped.append(name)
        elif entry.is_file() and is_about(entry):
            listing.others[entry.suffix.lower()] += 1
        elif entry.is_file() and name not in known:
            listing.add(name)
    return listing
