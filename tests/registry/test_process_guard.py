"""What a plugin moves of what belongs to the whole process is put back, and named."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.registry.process_guard import THREAD, process_guard


def mix_up_environment() -> None:
    os.environ["ZOO_STRICT_PLUGINS"] = "1"
    del os.environ["PATH"]


def silence() -> None:
    sys.stdout = sys.stderr = None


def lose_imports() -> None:
    sys.path.clear()
    sys.meta_path.clear()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda: os.chdir("/"), "the current directory"),
        (mix_up_environment, "the environment"),
        (lambda: signal.signal(signal.SIGINT, signal.SIG_IGN), "the handling of signals"),
        (lambda: warnings.simplefilter("error"), "the filters of warnings"),
        (lambda: logging.root.addHandler(logging.NullHandler()), "the root logger"),
        (lambda: logging.root.setLevel(7), "the root logger"),
        (silence, "the standard streams"),
        (lose_imports, "the import path"),
    ],
)
def test_what_is_changed_is_restored_and_named(change: Callable[[], object], name: str) -> None:
    def world() -> tuple[object, ...]:
        streams, imports = (sys.stdout, sys.stderr), (sys.path[:], sys.meta_path[:])
        signals = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        logger = (logging.root.handlers[:], logging.root.level)
        return Path.cwd(), dict(os.environ), signals, list(warnings.filters), streams, imports, logger

    before = world()
    with process_guard() as changed:
        change()
        assert world() != before
        assert changed == []
    assert world() == before
    assert changed == [name]


def test_who_moves_nothing_is_not_named_and_may_add_to_the_import_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", sys.path[:])
    with process_guard() as changed:
        sys.path.append("/vendored")
    assert (changed, sys.path[-1]) == ([], "/vendored")


def test_it_is_restored_after_an_error_too() -> None:
    here = Path.cwd()
    with pytest.raises(KeyError), process_guard():
        os.chdir("/")
        raise KeyError
    assert Path.cwd() == here


def test_a_directory_that_is_gone_is_no_error(empty_directory: Path) -> None:
    (empty_directory / "gone").mkdir()
    os.chdir(empty_directory / "gone")
    (empty_directory / "gone").rmdir()
    with process_guard() as changed:
        os.chdir(empty_directory)
    assert changed == ["the current directory"]


def test_a_thread_that_holds_up_the_end_is_named() -> None:
    done = threading.Event()
    with process_guard() as changed:
        threading.Thread(target=done.wait, daemon=True).start()
    assert changed == []
    with process_guard() as changed:
        threading.Thread(target=done.wait).start()
    assert changed == [THREAD]
    done.set()
