"""Folders of pictures: FOLDER/CLASS/*, FOLDER/{train,val,test}/CLASS/*, or pictures without classes."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

from zoo.api.data import DataNote, DataRequest, counted
from zoo.api.errors import BadSample
from zoo.data.formats.class_folders.lists import FOLDERS, by_lists
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
from zoo.data.formats.parts import ROLES, find_parts
from zoo.data.formats.samples import FileListing, FileRow
from zoo.data.formats.split_names import split_words
from zoo.data.formats.text_files import encoding_of

UNLABELLED: Final = frozenset({"unsup", "unlabeled", "unlabelled", "unlabeled_images", "unlabelled_images"})
"""Folders beside those of classes whose files are of none."""


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
    notes: list[str] = [*parts.notes]
    pooled: list[str] = []
    listings: list[FolderListing] = []
    learnt = {
        _label(name) for split, folder in parts.folders if split in (None, "train") for name in subfolders(folder)
    }
    for split, folder in parts.folders:
        beside = _beside(root, folder, kind, known)
        classes = [name for name in subfolders(folder) if not _holds_lists(folder / name, kind)]
        if len(classes) > 2 and (unlabelled := [name for name in classes if name.lower() in UNLABELLED]):
            notes += [_of_no_class(root, folder / name, kind) for name in unlabelled]
            classes = [name for name in classes if name not in unlabelled]
        flat = _without_classes(root, folder, beside, classes, learnt) if split not in (None, "train") else None
        if flat is not None and split == "test":
            notes.append(_unlabelled(root, folder, flat))
            continue
        if flat is not None:
            problems.append(_unsorted(root, folder, flat))
            continue
        listings.append(beside)
        if beside.files:
            count = counted(len(beside.files), f"{kind.plural[:-1]} lies", f"{kind.plural} lie")
            fix = "move them into one, or out of the data where they are of no class"
            problems.append(BadSample(beside.files[0], f"{count} outside every class folder", fix))
        for name in classes:
            listing = contents(root, folder / name, kind=kind)
            listings.append(listing)
            rows += [FileRow(file, _label(name), split) for file in listing.files]
            lacking = split not in (None, "train") and not listing.unread and _label(name) in learnt
            if not lacking or listing.files:  # that a split lacks a class is a warning
                problems += _problems(f"{(folder / name).relative_to(root).as_posix()}/", listing)
        pooled += _pooled(folder, classes, kind)
    if all(split is None for split, _ in parts.folders):
        divided = by_lists(root, rows, encoding_of(request))
        rows, origins, listed = divided.rows, divided.origins, divided.notes
        for listing in listings:
            listing.others.subtract(divided.suffixes)
            listing.others += Counter()  # without those that are none any more
    else:
        origins, listed = {}, ()
    return FileListing(
        root=root,
        rows=rows,
        problems=problems,
        notes=[*notes, *listed, *notes_on(listings), *pooled],
        origins=origins,
    )


def _holds_lists(folder: Path, kind: FileKind) -> bool:
    """Whether a folder beside those of classes holds lists of files, and none of the files."""
    return folder.name in FOLDERS and not contents(folder, folder, kind=kind).files and any(folder.iterdir())


def _label(folder: str) -> str:
    """The class that a folder is called after: the same name however its accents are written."""
    return unicodedata.normalize("NFC", folder)


def _without_classes(
    root: Path, folder: Path, beside: FolderListing, classes: Sequence[str], learnt: Collection[str]
) -> FolderListing | None:
    """The files of a split that lie in no class folder, or in one called images alone; None where it has classes."""
    if not classes:
        return beside if beside.files else None
    if len(classes) > 1 or classes[0] in learnt or not ROLES.issuperset(split_words(classes[0])) or beside.files:
        return None
    listing = contents(root, folder / classes[0], kind=beside.kind)
    return None if subfolders(folder / classes[0]) else listing


def _unsorted(root: Path, folder: Path, listing: FolderListing) -> BadSample:
    """What is said of a validation split whose files lie in no class folder."""
    name = folder.relative_to(root).parts[0]
    count = counted(len(listing.files), f"{listing.kind.plural[:-1]} lies", f"{listing.kind.plural} lie")
    fix = f"sort them into {name}/CLASS/, or name with --train the folder to learn from, which leaves {name}/ out"
    return BadSample(f"{name}/", f"its {count} in no class folder", fix)


def _of_no_class(root: Path, folder: Path, kind: FileKind) -> DataNote:
    where, count = f"{folder.relative_to(root).as_posix()}/", len(contents(root, folder, kind=kind).files)
    message = f"left out {where}: its {counted(count, f'{kind.plural[:-1]} is', f'{kind.plural} are')} of no class"
    return DataNote(message, kind="left-out", what=where, items=count)


def _unlabelled(root: Path, folder: Path, listing: FolderListing) -> DataNote:
    """What is said of a test split whose files lie in no class folder, as competitions hand them out."""
    where = f"{folder.relative_to(root).as_posix()}/"
    count, plural = len(listing.files), listing.kind.plural
    files = counted(count, f"{plural[:-1]} lies", f"{plural} lie")
    message = f"left out {where}: its {files} in no class folder, so that nothing is measured"
    return DataNote(message, kind="left-out", what=where, items=count, examples=listing.files[:5])


def _pooled(folder: Path, classes: Sequence[str], kind: FileKind) -> Iterator[str]:
    """What is said of class folders that have folders of their own, which are no classes."""
    deep = {name: inside for name in classes if (inside := subfolders(folder / name))}
    if deep:
        name, inside = next(iter(deep.items()))
        shown = f"{name}/{inside[0]}/"
        belong = f"their {kind.plural} belong to the class {name}"
        yield f"{counted(len(deep), 'class has', 'classes have')} folders in them, such as {shown}: {belong}"


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
                    f"{counted(len(listing.unread), 'picture')} of a kind that cannot be read",
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
        files = counted(unread, listing.kind.plural[:-1])
        return [BadSample(where, f"{files} of a kind that cannot be read", listing.remedy)]
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
