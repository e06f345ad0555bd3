"""Writing so that a reader sees the old file or the new one, never half of either: beside, fsync, rename."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.api.errors import DiskError, OutputExists
from zoo.api.untrusted import escaped_json


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals into sentences that name the path."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            free = shutil.disk_usage(_existing(path)).free // 2**20
            raise DiskError(
                f"no space left to write {path} ({free} MB free)", hint="make room and try again"
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise DiskError(
                f"{path} cannot be written: {error.strerror}", hint="choose another place with -o"
            ) from error
        raise


def _existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def sync(path: Path) -> None:
    """Make sure a file's or a folder's bytes have reached the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, data: bytes) -> None:
    """Replace the file at once, making its folder where needed."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            with beside.open("wb") as file:
                file.write(data)
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
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        beside.mkdir()
        try:
            fill(beside)
            for entry in sorted(beside.rglob("*")):
                sync(entry)
            sync(beside)
            _swap(beside, path)
            sync(path.parent)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _swap(new: Path, path: Path) -> None:
    if not path.exists():
        new.rename(path)
        return
    old = path.with_name(f".{path.name}.{secrets.token_hex(4)}.old")
    path.rename(old)
    new.rename(path)
    if old.is_symlink():
        old.unlink()  # what it leads to is not ours
    else:
        shutil.rmtree(old)
