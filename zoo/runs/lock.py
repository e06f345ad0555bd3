"""Who trains a run holds its lock, which the operating system lets go when the process dies, however it dies.

Hosts that share a file system see it, too: a process number says nothing there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.api.errors import UsageError

NAME = "training.lock"


@contextmanager
def holding(run: Path) -> Iterator[None]:
    """Inside, this process is the one that trains the run; UsageError where another one is."""
    from filelock import FileLock, Timeout  # noqa: PLC0415  listing runs needs none

    lock = FileLock(run / NAME, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise UsageError(
            f"{run} is being trained by another process", hint="wait for its end, or interrupt it with Ctrl-C"
        ) from None
    except (NotImplementedError, OSError):  # this file system has no locks: host and process number must do
        yield
        return
    try:
        yield
    finally:
        lock.release()


def is_held(run: Path) -> bool | None:
    """Whether some process trains the run; None where no lock can tell."""
    from filelock import FileLock, Timeout  # noqa: PLC0415

    if not (run / NAME).is_file():
        return None
    try:
        with FileLock(run / NAME, timeout=0):
            return False
    except Timeout:
        return True
    except (NotImplementedError, OSError):  # not ours to write, or a file system without locks
        return None
