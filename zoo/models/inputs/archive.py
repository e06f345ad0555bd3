"""The files of a .zip: copied out one by one under names of zoo's own, each and all bounded.  Torch-free."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from zoo.api.errors import BadFile
from zoo.data.formats.folders import FileKind, FolderListing, hidden, notes_on

CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """How much an archive may hold."""

    files: int = 100_000
    file_bytes: int = 200_000_000
    """Of one file, unpacked."""
    bytes: int = 4_000_000_000
    """Of all files together, unpacked."""


def archive_files(
    path: Path, folder: Path, kind: FileKind, *, note: Callable[[str], None], limits: ArchiveLimits | None = None
) -> Iterator[tuple[str, Path | BadFile]]:
    """The name of each file of that kind in the archive, and a copy of it in `folder`, which is gone at the next one.

    A file that cannot be unpacked comes with its BadFile.  BadFile is raised for what is no archive, and for one that
    holds more than the limits.
    """
    limits = limits or ArchiveLimits()
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise BadFile(f"{path} cannot be read as a .zip archive: {error}") from error
    with archive:
        members = _members(archive, path, kind, limits, note)
        total = 0
        for index, member in enumerate(members):
            copy = folder / f"member-{index}{PurePosixPath(member.filename).suffix.lower()}"
            most = min(limits.file_bytes, limits.bytes - total)
            try:
                total += _unpack(archive, member, copy, most=most)
                yield member.filename, copy
            except BadFile as error:
                yield member.filename, error
            finally:
                copy.unlink(missing_ok=True)


def _members(
    archive: zipfile.ZipFile, path: Path, kind: FileKind, limits: ArchiveLimits, note: Callable[[str], None]
) -> list[zipfile.ZipInfo]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > limits.files:
        raise BadFile(f"{path} holds {len(entries):,} files, and at most {limits.files:,} are read")
    listing = FolderListing(kind=kind)
    members = []
    for entry in sorted(entries, key=lambda entry: entry.filename):
        *parents, name = PurePosixPath(entry.filename).parts or ("",)
        if hidden(name) or any(hidden(parent, folder=True) for parent in parents) or ".." in parents:
            listing.skipped.append(entry.filename)
        elif stat.S_ISLNK(entry.external_attr >> 16):
            listing.others["links"] += 1
        else:
            listing.add(entry.filename)
            members += [entry] if PurePosixPath(name).suffix.lower() in kind.suffixes | kind.unread else []
    listing.others = Counter({name: n for name, n in listing.others.items() if name not in kind.unread})
    for sentence in notes_on([listing]):
        note(f"{path}: {sentence}")
    if not members:
        raise BadFile(f"{path} holds no {kind.plural}")
    return members


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, copy: Path, *, most: int) -> int:
    """The number of bytes unpacked; counted as they come: what an archive says of itself may be false."""
    if member.flag_bits & 1:
        raise BadFile(f"{member.filename} is encrypted", hint="unpack the archive, and name the folder")
    size = 0
    try:
        with archive.open(member) as packed, copy.open("wb") as file:
            while chunk := packed.read(CHUNK):
                size += len(chunk)
                if size > most:
                    raise BadFile(f"{member.filename} unpacks to more than {most:,} bytes")
                file.write(chunk)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError) as error:
        raise BadFile(f"{member.filename} is damaged: {error}") from error
    return size
