"""What can be worked out again, kept in zoo's cache as files of bytes under a key: a folder of bounded size.

An entry is read only where this user owns the file and the folder and nobody else may write them, and only where its
bytes have the hash that stands before them; one that has not is removed.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from zoo.api.errors import ZooError
from zoo.runs.cache import cache_root

FOLDER: Final = "kept"
SUFFIX: Final = ".zoo"
MAX_BYTES: Final = 256_000_000
"""Of all entries; those that were not used for the longest time go first."""
MAX_ENTRY_BYTES: Final = 64 << 20
SWITCH: Final = "ZOO_KEEP"
"""The environment variable that switches keeping off: ZOO_KEEP=0."""
_DIGEST_BYTES: Final = hashlib.sha256().digest_size


_switched_off: Final[ContextVar[bool]] = ContextVar("_switched_off", default=False)


def is_keeping() -> bool:
    """Whether entries are read and written; not where ZOO_KEEP is 0, nor within `nothing_kept`."""
    return os.environ.get(SWITCH, "1") != "0" and not _switched_off.get()


@contextmanager
def nothing_kept() -> Iterator[None]:
    """Inside, everything is worked out anew."""
    token = _switched_off.set(True)
    try:
        yield
    finally:
        _switched_off.reset(token)


def read_entry(key: str) -> bytes | None:
    """The bytes of an entry; None where there is none that may be trusted."""
    path = _path(key)
    if not is_keeping() or not _is_private(path.parent, stat.S_ISDIR) or not _is_private(path, stat.S_ISREG):
        return None
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, data = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if _digest(key, data) != digest:
        with suppress(OSError):
            path.unlink()
        return None
    with suppress(OSError):
        os.utime(path)
    return data


def write_entry(key: str, data: bytes | memoryview) -> None:
    """Keep the bytes; not where they are too many, or where the folder is not this user's alone."""
    path = _path(key)
    if not is_keeping() or len(data) > MAX_ENTRY_BYTES:
        return
    from zoo.runs.atomic import write_bytes  # noqa: PLC0415  a process that only reads needs none of it

    with suppress(OSError, ZooError):  # a full disk is no reason to fail: nobody asked for this file
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_private(path.parent, stat.S_ISDIR):
            return
        write_bytes(path, _digest(key, data), data)
        path.chmod(0o600)
        _shrink(path.parent)


def _digest(key: str, data: bytes | memoryview) -> bytes:
    hashed = hashlib.sha256(key.encode())
    hashed.update(data)
    return hashed.digest()


def kept_folder() -> Path:
    """Where the entries lie."""
    return cache_root() / FOLDER


def entries() -> tuple[Path, ...]:
    """The files of all entries, the one used last at the end."""
    return tuple(path for _, path, _ in sorted(_listed(kept_folder())))


def clear() -> int:
    """Remove every entry; how many there were."""
    removed = entries()
    for path in removed:
        path.unlink(missing_ok=True)
    return len(removed)


def _path(key: str) -> Path:
    return kept_folder() / f"{hashlib.sha256(key.encode()).hexdigest()}{SUFFIX}"


def _is_private(path: Path, is_kind: Callable[[int], bool]) -> bool:
    """Whether it is there, of that kind, no link, this user's, and nobody else may write it."""
    try:
        status = path.lstat()
    except OSError:
        return False
    own = status.st_uid == getattr(os, "getuid", lambda: status.st_uid)()
    return is_kind(status.st_mode) and own and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _listed(folder: Path) -> Iterator[tuple[float, Path, int]]:
    """When each entry was used, its path and its bytes."""
    with suppress(OSError):
        for path in folder.glob(f"*{SUFFIX}"):
            with suppress(OSError):
                status = path.stat()
                yield status.st_mtime, path, status.st_size


def _shrink(folder: Path) -> None:
    """Remove the entries that were used first until the others fit."""
    listed = sorted(_listed(folder))
    total = sum(size for _, _, size in listed)
    for _, path, size in listed:
        if total <= MAX_BYTES:
            return
        path.unlink(missing_ok=True)
        total -= size
