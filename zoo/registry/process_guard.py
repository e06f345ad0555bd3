"""What belongs to the whole process is put back after a plugin was asked, and what was moved is named.

A plugin that changes the current directory or ignores Ctrl-C while it is imported would change every command.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from operator import ne
from pathlib import Path
from typing import Any, Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """One thing that all who live in a process share."""

    name: str
    read: Callable[[], Any]
    put_back: Callable[[Any], None]
    moved: Callable[[Any, Any], bool] = ne
    """Whether what is there now is another thing than what was there before."""


@contextmanager
def process_guard() -> Iterator[list[str]]:
    """Inside, somebody else's code runs; afterwards the list names what it moved, and that was put back."""
    moved: list[str] = []
    before = [(one, one.read()) for one in SHARED]
    running = {thread.ident for thread in threading.enumerate()}
    try:
        yield moved
    finally:
        for one, value in before:
            if one.moved(one.read(), value):
                one.put_back(value)
                moved.append(one.name)
        if any(not thread.daemon for thread in threading.enumerate() if thread.ident not in running):
            moved.append(THREAD)


THREAD: Final = "the threads that a command waits for"
"""The one thing that cannot be put back."""


def _directory() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it was deleted under us
        return None


def _go_back(directory: Path | None) -> None:
    with suppress(OSError):
        os.chdir(directory or "")


def _put_back_environment(variables: dict[str, str]) -> None:
    for name in [name for name in os.environ if name not in variables]:
        del os.environ[name]
    os.environ.update(variables)


def _handlers() -> tuple[Any, ...]:
    return tuple(signal.getsignal(number) for number in SIGNALS)


def _put_back_handlers(handlers: tuple[Any, ...]) -> None:
    for number, handler in zip(SIGNALS, handlers, strict=True):
        with suppress(TypeError, ValueError):  # one that Python did not set; another thread than the first
            signal.signal(number, handler)


def _put_back_filters(filters: list[Any]) -> None:
    warnings.resetwarnings()  # tells Python that what it remembers of the filters is old
    warnings.filters[:] = filters  # type: ignore[index]


def _imports() -> tuple[list[Any], ...]:
    return sys.path[:], sys.meta_path[:]


def _lost(now: tuple[list[Any], ...], before: tuple[list[Any], ...]) -> bool:
    """Whether others can find less than before; what was added may be needed by what was imported."""
    return any(one not in found for found, wanted in zip(now, before, strict=True) for one in wanted)


def _put_back_imports(before: tuple[list[Any], ...]) -> None:
    path, finders = before
    sys.path[:] = [*path, *(one for one in sys.path if one not in path)]
    sys.meta_path[:] = [*finders, *(one for one in sys.meta_path if one not in finders)]


def _streams() -> tuple[object, ...]:
    return sys.stdin, sys.stdout, sys.stderr


def _put_back_streams(streams: tuple[Any, Any, Any]) -> None:
    sys.stdin, sys.stdout, sys.stderr = streams


def _logging() -> tuple[object, ...]:
    """Handlers and level of the root logger, without importing what nobody may need."""
    logging = sys.modules.get("logging")
    return ([], 30) if logging is None else (logging.root.handlers[:], logging.root.level)


def _put_back_logging(found: tuple[list[Any], int]) -> None:
    root = sys.modules["logging"].root
    root.handlers[:], level = found
    root.setLevel(level)


SHARED: Final = (
    Shared(name="the current directory", read=_directory, put_back=_go_back),
    Shared(name="the environment", read=lambda: dict(os.environ), put_back=_put_back_environment),
    Shared(name="the handling of signals", read=_handlers, put_back=_put_back_handlers),
    Shared(name="the filters of warnings", read=lambda: list(warnings.filters), put_back=_put_back_filters),
    Shared(name="the import path", read=_imports, put_back=_put_back_imports, moved=_lost),
    Shared(name="the standard streams", read=_streams, put_back=_put_back_streams),
    Shared(name="the root logger", read=_logging, put_back=_put_back_logging),
)
