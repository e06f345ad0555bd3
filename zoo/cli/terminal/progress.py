"""How far long work is: one live line on a terminal, a plain line now and then elsewhere, always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zoo.api.untrusted import one_line
from zoo.runs.terminal import terminal_columns, width_of

if TYPE_CHECKING:
    from zoo.api.task import Progress

EVERY = 10.0
"""Seconds between plain lines."""
LIVE = 0.1
"""Seconds between changes of a live line."""


class ProgressLine:
    """A `zoo.api.task.Progress`: called with (done, total), it shows share, rate and the time that is left."""

    def __init__(self, what: str, *, unit: str = "items") -> None:
        self._what = one_line(what)
        self._unit = unit
        self._live = sys.stderr.isatty()
        self._start: float | None = None
        self._shown = 0.0
        self._before = 0

    def __call__(self, done: int, total: int) -> None:
        """Tell it how many of how many are done; the rate counts from the first time on."""
        now = time.monotonic()
        if self._start is None:
            self._start = self._shown = now
            self._before = done
        elif now - self._shown >= (LIVE if self._live else EVERY):
            self._shown = now
            self._print(describe(self._what, done, total, now - self._start, unit=self._unit, before=self._before))

    def close(self) -> None:
        """Take a live line away, so that what follows starts on a clean one."""
        if self._live:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def _print(self, line: str) -> None:
        if self._live:
            width = terminal_columns(sys.stderr) or len(line) + 1
            while width_of(line) >= width and ", " in line:  # a live line is rewritten: a longer one would leave rests
                line = line.rpartition(", ")[0]
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)


@contextmanager
def watching(*, shown: bool = True) -> Iterator[Progress]:
    """Shows how far the check of the data is."""
    line = ProgressLine("checking the data") if shown else None

    def watch(done: int, total: int) -> None:
        if line:
            line(done, total)
            if done >= total:
                line.close()

    try:
        yield watch
    finally:
        if line:
            line.close()


def describe(what: str, done: int, total: int, seconds: float, *, unit: str, before: int = 0) -> str:
    """checking digits: 5,000 of 12,000 items, 42%, 2,500 items/s, 3 s left; `before` were done at second 0."""
    rate = (done - before) / seconds if seconds > 0 else 0.0
    line = f"{what}: {done:,} of {total:,} {unit}, {done / max(total, 1):.0%}"
    if rate > 0:
        line += f", {rate:,.0f} {unit}/s, {(total - done) / rate:.0f} s left"
    return line
