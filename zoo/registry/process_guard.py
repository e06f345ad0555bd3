"""Restores the state of the process after a plugin was loaded, and names what the plugin changed.

A plugin that changes the current directory or ignores Ctrl-C when it is imported would change every command.
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
class ProcessState:
    """One part of the state of the process."""

    name: str
    read: Callable[[], Any]
    restore: Callable[[Any], None]
    changed: Callable[[Any, Any], bool] = ne
    """(now, before) -> True where it counts as changed."""


@contextmanager
def process_guard() -> Iterator[list[str]]:
    """Runs foreign code inside; afterwards everything it changed is restored, and the list names it."""
    changed: list[str] = []
    before = [(state, state.read()) for state in PROCESS_STATE]
    running = {thread.ident for thread in threading.enumerate()}
    try:
        yield changed
    finally:
        for state, value in before:
            if state.changed(state.read(), value):
                state.restore(value)
                changed.append(state.name)
        if any(not thread.daemon for thread in threading.enumerate() if thread.ident not in running):
            changed.append(THREAD)


THREAD: Final = "the threads that a command waits for"
"""The one change that cannot be undone."""


def _directory() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it was deleted
        return None


def _restore_directory(directory: Path | None) -> None:
    with suppress(OSError):
        os.chdir(directory or "")


def _restore_environment(variables: dict[str, str]) -> None:
    for name in [name for name in os.environ if name not in variables]:
        del os.environ[name]
    os.environ.update(variables)


def _handlers() -> tuple[Any, ...]:
    return tuple(signal.getsignal(number) for number in SIGNALS)


def _restore_handlers(handlers: tuple[Any, ...]) -> None:
    for number, handler in zip(SIGNALS, handlers, strict=True):
        with suppress(TypeError, ValueError):  # a handler that Python did not set; not in the main thread
            signal.signal(number, handler)


def _restore_filters(filters: list[Any]) -> None:
    warnings.resetwarnings()  # makes Python drop its cache of the filters
    warnings.filters[:] = filters  # type: ignore[index]


def _import_path() -> tuple[list[Any], ...]:
    return sys.path[:], sys.meta_path[:]


def _entry_missing(now: tuple[list[Any], ...], before: tuple[list[Any], ...]) -> bool:
    """True where an entry is missing; added entries stay, since imported modules may need them."""
    return any(entry not in entries for entries, old in zip(now, before, strict=True) for entry in old)


def _restore_import_path(before: tuple[list[Any], ...]) -> None:
    path, finders = before
    sys.path[:] = [*path, *(entry for entry in sys.path if entry not in path)]
    sys.meta_path[:] = [*finders, *(finder for finder in sys.meta_path if finder not in finders)]


def _streams() -> tuple[object, ...]:
    return sys.stdin, sys.stdout, sys.stderr


def _restore_streams(streams: tuple[Any, Any, Any]) -> None:
    sys.stdin, sys.stdout, sys.stderr = streams


def _logging() -> tuple[object, ...]:
    """Handlers and level of the root logger; does not import logging, which a command may not need."""
    logging = sys.modules.get("logging")
    return ([], 30) if logging is None else (logging.root.handlers[:], logging.root.level)


def _restore_logging(state: tuple[list[Any], int]) -> None:
    root = sys.modules["logging"].root
    root.handlers[:], level = state
    root.setLevel(level)


PROCESS_STATE: Final = (
    ProcessState(name="the current directory", read=_directory, restore=_restore_directory),
    ProcessState(name="the environment", read=lambda: dict(os.environ), restore=_restore_environment),
    ProcessState(name="the handling of signals", read=_handlers, restore=_restore_handlers),
    ProcessState(name="the filters of warnings", read=lambda: list(warnings.filters), restore=_restore_filters),
    ProcessState(name="the import path", read=_import_path, restore=_restore_import_path, changed=_entry_missing),
    ProcessState(name="the standard streams", read=_streams, restore=_restore_streams),
    ProcessState(name="the root logger", read=_logging, restore=_restore_logging),
)
