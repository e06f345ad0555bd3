"""Threads that are in nobody's way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from zoo.engine import threads
from zoo.engine.threads import choose_threads, choose_workers, idle_cores, share_of_threads


def machine(monkeypatch: pytest.MonkeyPatch, *, cores: int, idle: float) -> None:
    """A machine with so many cores, of which so many are idle."""
    ticks: Iterator[tuple[int, int]] = iter([(0, 0), (round(idle * 100), cores * 100)])
    monkeypatch.setattr(threads, "allowed_cores", lambda: cores)
    monkeypatch.setattr(threads, "_ticks", lambda: next(ticks))
    monkeypatch.setattr(threads, "WATCHED", 0.0)
    monkeypatch.setattr("os.cpu_count", lambda: cores)


@pytest.mark.parametrize(("cores", "idle", "expected"), [(2, 2.0, 2), (2, 0.9, 1), (8, 5.2, 5), (4, 0.0, 1)])
def test_busy_cores_are_left_to_others(monkeypatch: pytest.MonkeyPatch, cores: int, idle: float, expected: int) -> None:
    machine(monkeypatch, cores=cores, idle=idle)
    assert idle_cores() == expected


def test_processes_share_and_tiny_steps_take_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "idle_cores", lambda: 8)
    assert [share_of_threads(processes=number) for number in (1, 2, 8, 9)] == [8, 4, 1, 1]
    assert choose_threads(lambda: time.sleep(0.004), share=4) == 4
    assert choose_threads(lambda: None, share=8) == 1
    assert choose_threads(lambda: time.sleep(0.004), share=1) == 1


def test_a_control_group_limits(tmp_path: Path) -> None:
    file = tmp_path / "cpu.max"
    file.write_text("150000 100000\n")
    assert threads._quota(file) == 1.5
    file.write_text("max 100000\n")
    assert threads._quota(file) is None


def test_slow_reading_is_done_ahead() -> None:
    assert choose_workers(lambda: None) == 0
    assert choose_workers(lambda: time.sleep(0.01)) == 2
