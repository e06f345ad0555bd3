"""Temporary folders that do not outlive their process for long, however it dies.

Each is locked by the process that made it, and the operating system lets the lock go when the process dies.  The
next start of zoo takes the locks that are free and removes their folders (`sweep`).  A lock says more than a process
number: containers that share /dev/shm see each other's folders, but not each other's processes.
"""

from __future__ import annotations

import atexit
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PREFIX = "zoo-"
SUFFIX = ".lock"
SHARED_MEMORY = Path("/dev/shm")

_alive: set[ScratchFolder] = set()
"""The folders of this process."""


@dataclass(frozen=True, slots=True, eq=False)
class ScratchFolder:
    """A new folder that nobody else can read, as a context or until `remove`; at the latest it goes at exit."""

    path: Path
    lock: Any
    """The held FileLock."""
    owner: int
    """The process that made it: a fork of it removes nothing."""

    @classmethod
    def make(cls, *, in_memory: bool = False) -> ScratchFolder:
        """One in TMPDIR, or where the system has it in shared memory; OSError where neither can be written."""
        from tempfile import gettempdir  # noqa: PLC0415  listing models needs neither

        from filelock import FileLock  # noqa: PLC0415

        parent = SHARED_MEMORY if in_memory and os.access(SHARED_MEMORY, os.W_OK) else Path(gettempdir())
        path = parent / f"{PREFIX}{os.getpid()}-{os.urandom(8).hex()}"
        lock = FileLock(_lock_of(path), mode=0o600, thread_local=False)  # another thread may remove it
        lock.acquire()  # before the folder is there, so that nobody sees it unlocked
        folder = cls(path=path, lock=lock, owner=os.getpid())
        _alive.add(folder)
        path.mkdir(mode=0o700)
        return folder

    def remove(self) -> None:
        """Remove it with all that is in it; a second time does nothing."""
        if self not in _alive or os.getpid() != self.owner:
            return
        _remove(self.path)
        self.lock.release()
        _alive.discard(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def sweep() -> None:
    """Remove what dead processes of this user left; never an error, since nobody asked for it."""
    for parent in {SHARED_MEMORY, *_temporary_folders()}:
        with suppress(OSError):
            for lock in _locks(parent):
                _remove_if_dead(lock)


def _temporary_folders() -> Iterator[Path]:
    """Where `tempfile` puts folders; it is slow to import, and knows only the one of today."""
    yield from (Path(os.environ[name]) for name in ("TMPDIR", "TEMP", "TMP") if os.environ.get(name))
    yield from (Path("/tmp"), Path("/var/tmp"), Path("/usr/tmp"))


def _locks(parent: Path) -> Iterator[Path]:
    """The lock files in a folder that are this user's and not this process's."""
    alive = {_lock_of(folder.path).name for folder in _alive}
    with os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and entry.name.endswith(SUFFIX) and entry.name not in alive:
                path = Path(entry.path)
                if _is_own(path, stat.S_ISREG):
                    yield path


def _is_own(path: Path, is_kind: Callable[[int], bool]) -> bool:
    """Whether it is there, of that kind, no link to one, and belongs to this user."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return is_kind(status.st_mode) and status.st_uid == getattr(os, "getuid", lambda: status.st_uid)()


def _remove_if_dead(path: Path) -> None:
    if _is_held(path):
        return
    from filelock import FileLock, Timeout  # noqa: PLC0415

    with suppress(Timeout, NotImplementedError, OSError), FileLock(path, timeout=0, mode=0o600):
        _remove(path.with_suffix(""))


def _is_held(path: Path) -> bool:
    """Whether a living process holds the lock, where the system can say so without the library."""
    try:
        import fcntl  # noqa: PLC0415  not on Windows
    except ImportError:
        return False
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _remove(path: Path) -> None:
    """The folder first: a lock without a folder is found again, a folder without a lock is not."""
    if _is_own(path, stat.S_ISDIR):
        from shutil import rmtree  # noqa: PLC0415  rarely is there anything

        rmtree(path, ignore_errors=True)
    if not _is_own(path, stat.S_ISDIR):
        _lock_of(path).unlink(missing_ok=True)


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + SUFFIX)


def _remove_all() -> None:
    for folder in list(_alive):
        with suppress(OSError):
            folder.remove()


atexit.register(_remove_all)
