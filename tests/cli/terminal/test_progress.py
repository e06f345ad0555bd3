"""Progress is a live line on a terminal and a plain one now and then elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from zoo.cli.terminal import progress
from zoo.cli.terminal.progress import ProgressLine, describe


def test_a_line_names_share_rate_and_what_is_left() -> None:
    line = describe("checking digits", 5_000, 12_000, 2.0, unit="items")
    assert line == "checking digits: 5,000 of 12,000 items, 42%, 2,500 items/s, 3 s left"
    late = describe("checking digits", 5_000, 12_000, 2.0, unit="items", before=3_000)
    assert late == "checking digits: 5,000 of 12,000 items, 42%, 1,000 items/s, 7 s left"
    assert describe("checking", 0, 0, 0.0, unit="files") == "checking: 0 of 0 files, 0%"


class Clock:
    """A time that moves when it is told to."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize(("terminal", "shown"), [(True, 3), (False, 1)])
def test_lines_come_no_more_often_than_they_can_be_read(
    terminal: bool, shown: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    clock, stream = Clock(), Stream()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr(sys, "stderr", stream)
    line = ProgressLine("working")
    for seconds in (0.0, 0.05, 1.0, 1.05, 2.0, 11.0):
        clock.now = seconds
        line(int(seconds), 20)
    line.close()
    assert stream.getvalue().count("working:") == shown
    assert stream.getvalue().endswith("\r\033[K") == terminal


def test_what_came_before_the_first_item_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, stream = Clock(), io.StringIO()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr(sys, "stderr", stream)
    line = ProgressLine("working")
    for seconds, done in ((60.0, 1), (65.0, 6), (70.0, 11)):
        clock.now = seconds
        line(done, 21)
    assert stream.getvalue() == "working: 11 of 21 items, 52%, 1 items/s, 10 s left\n"
