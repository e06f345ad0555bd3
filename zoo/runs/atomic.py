"""Writing so that a reader sees the old file or the new one, never half of either: beside, fsync, rename."""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zoo.api.errors import DiskError, OutputExists, UsageError, ZooError
from zoo.api.untrusted import escaped_json

_LEFTOVER: Final = re.compile(r"\..*\.[0-9a-f]{8}\.(tmp|old)", re.DOTALL)
_MAX_NAME_BYTES: Final = 255 - len("..12345678.tmp")
"""Of the name of what is being written, so that the name of the one beside it is not too long."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What an error number of the operating system means for a path that is written."""

    hint: str
    reason: str = ""
    """Instead of the system's own words."""


_MAKE_ROOM: Final = "make room and try again"
_ELSEWHERE: Final = _Refusal("choose another place with -o")
_DEVICE: Final = _Refusal("look at the disk, and try again")
_REFUSALS: Final[Mapping[int | None, _Refusal]] = {
    errno.EDQUOT: _Refusal(_MAKE_ROOM, "your quota on this disk is used up"),
    errno.EFBIG: _Refusal("raise the limit and try again", "a file of this process may not be so large (`ulimit -f`)"),
    errno.ENOENT: _Refusal("put it back, or choose another place with -o", "its folder was moved or removed"),
    errno.EACCES: _ELSEWHERE,
    errno.EPERM: _ELSEWHERE,
    errno.EROFS: _ELSEWHERE,
    errno.ENOTDIR: _ELSEWHERE,
    errno.EISDIR: _Refusal("move that folder away, or choose another place with -o", "a folder has this name"),
    errno.ELOOP: _ELSEWHERE,
    errno.EIO: _DEVICE,
    errno.ENXIO: _DEVICE,
    errno.ESTALE: _DEVICE,
    errno.EBUSY: _DEVICE,
    errno.EMFILE: _Refusal("raise the limit of open files (`ulimit -n`) and try again"),
    errno.ENFILE: _Refusal("close other programs and try again"),
}


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals to write into sentences that name the path."""
    try:
        yield
    except OSError as error:
        told = write_error(path, error)
        if told is None:
            raise
        raise told from error


def write_error(path: Path, error: OSError) -> ZooError | None:
    """The sentence for an error of the operating system while this path was written; None for one of the network."""
    if error.errno == errno.ENAMETOOLONG:
        return UsageError(f"{path} cannot be written: the name is too long", hint="choose a shorter one with -o")
    if error.errno == errno.ENOSPC:
        return DiskError(f"no space left to write {path} ({_free_megabytes(path)})", hint=_MAKE_ROOM)
    if error.errno not in _REFUSALS:
        return None
    refusal = _REFUSALS[error.errno]
    return DiskError(f"{path} cannot be written: {refusal.reason or error.strerror}", hint=refusal.hint)


def check_name(path: Path) -> None:
    """UsageError where the file system takes no such name, or the working directory is gone."""
    try:
        os.lstat(Path.cwd() / path)  # also where the path is absolute: some libraries end the process without a folder
    except FileNotFoundError as error:
        if error.filename is None:  # from Path.cwd
            raise UsageError("the working directory no longer exists", hint="cd to a folder that does") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise UsageError(f"{path} is too long for a name here", hint="choose a shorter one with -o") from error
    except ValueError as error:
        raise UsageError(f"{str(path)!r} is no name of a file: {error}", hint="choose another one with -o") from error


def _free_megabytes(path: Path) -> str:
    while not path.exists() and path != path.parent:
        path = path.parent
    return f"{shutil.disk_usage(path).free // 2**20} MB free"


def _beside(path: Path, kind: str) -> Path:
    """A hidden name in the same folder that nothing has."""
    name = os.fsencode(path.name)[:_MAX_NAME_BYTES].decode(errors="ignore")
    return path.with_name(f".{name}.{secrets.token_hex(4)}.{kind}")


def leftovers(folder: Path) -> Iterator[Path]:
    """What killed processes left half-written or half-removed in a folder, and in the folders below it."""
    for parent, folders, files in os.walk(folder):
        for name in [name for name in (*folders, *files) if _LEFTOVER.fullmatch(name)]:
            yield Path(parent, name)
        folders[:] = [name for name in folders if not _LEFTOVER.fullmatch(name)]


def remove(path: Path) -> None:
    """Remove a folder so that a reader sees all of it or nothing; a kill leaves something that `leftovers` finds."""
    gone = _beside(path, "old")
    path.rename(gone)
    if gone.is_symlink():
        gone.unlink()  # what it leads to is not ours
    else:
        shutil.rmtree(gone)


def sync(path: Path) -> None:
    """Make sure a file's or a folder's bytes have reached the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, *parts: bytes | memoryview) -> None:
    """Replace the file at once by these parts one after the other, making its folder where needed."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = _beside(path, "tmp")
        try:
            with beside.open("wb") as file:
                file.writelines(parts)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
            sync(path.parent)
        finally:
            beside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """As `write_bytes`, in UTF-8."""
    write_bytes(path, text.encode())


def json_text(value: object) -> str:
    """A JSON document, indented, keys in the order given; NaN is refused because JSON has none.

    Control characters, and names of files that are no valid UTF-8, are escaped, and read back as they were.
    """
    return escaped_json(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def write_json(path: Path, value: object) -> None:
    """As `write_text`, of `json_text`."""
    write_text(path, json_text(value))


def check_free(path: Path, *, overwrite: bool, mark: str, option: str = "-o") -> None:
    """OutputExists where something is that may not be replaced: anything without `overwrite`, else what is not ours.

    `mark` is the file that every directory of the kind holds; one without it, unless it is empty, is somebody's own.
    """
    if not path.exists():
        return
    if not overwrite:
        raise OutputExists(f"{path} exists already", hint=f"choose another place with {option}, or say --overwrite")
    if not path.is_dir() or (any(path.iterdir()) and not (path / mark).is_file()):
        raise OutputExists(
            f"{path} has no {mark} in it, so --overwrite leaves it alone",
            hint=f"choose another place with {option}, or remove it yourself",
        )


def write_directory(path: Path, fill: Callable[[Path], None], *, overwrite: bool = False, mark: str = "") -> None:
    """Make a whole directory appear at once: `fill` writes into a hidden one beside it, which is then renamed.

    With `overwrite` an older directory is moved away first and removed afterwards; without, OutputExists.  Where
    `mark` is given, only a directory that holds a file of this name is replaced.
    """
    if mark or not overwrite:
        check_free(path, overwrite=overwrite, mark=mark)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = _beside(path, "tmp")
        beside.mkdir()
        try:
            fill(beside)
            for entry in sorted(beside.rglob("*")):
                sync(entry)
            sync(beside)
            swap(beside, path)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def swap(new: Path, path: Path) -> None:
    """Put a directory in the place of another, or of none; the other is moved away first and removed afterwards."""
    old = _beside(path, "old") if path.is_symlink() or path.exists() else None
    if old:
        path.rename(old)
    new.rename(path)
    sync(path.parent)
    if old and old.is_symlink():
        old.unlink()  # what it leads to is not ours
    elif old:
        shutil.rmtree(old)
