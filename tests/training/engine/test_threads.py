"""Threads that are in nobody's way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import chain, cycle
from pathlib import Path

import pytest

from zoo.training.engine import threads
from zoo.training.engine.threads import choose_threads, choose_workers, idle_cores, share_of_threads


def machine(monkeypatch: pytest.MonkeyPatch, *, cores: int, idle: float) -> None:
    """A machine with so many cores, of which so many are idle."""
    ticks: Iterator[tuple[int, int]] = iter([(0, 0), (round(idle * 100), cores * 100)])
    monkeypatch.setattr(threads, "allowed_cores", lambda: cores)
    monkeypatch.setattr(threads, "_ticks", lambda: next(ticks))
    monkeypatch.setattr(threads, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr("os.cpu_count", lambda: cores)


@pytest.mark.parametrize(("cores", "idle", "expected"), [(2, 2.0, 2), (2, 0.9, 1), (8, 5.2, 5), (4, 0.0, 1)])
def test_busy_cores_are_left_to_others(monkeypatch: pytest.MonkeyPatch, cores: int, idle: float, expected: int) -> None:
    machine(monkeypatch, cores=cores, idle=idle)
    assert idle_cores() == expected


def test_processes_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "idle_cores", lambda: 8)
    assert [share_of_threads(processes=number) for number in (1, 2, 8, 9)] == [8, 4, 1, 1]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """A step that takes so many seconds with so many threads; the threads of every step that was done."""
    steps: list[int] = []
    now = [1]

    def measure(**seconds: float) -> list[int]:
        def one(step: Callable[[], object]) -> float:
            step()
            steps.append(now[0])
            return seconds["alone" if now[0] == 1 else "together"]

        monkeypatch.setattr(threads, "_seconds", one)
        return steps

    monkeypatch.setattr("torch.set_num_threads", lambda count: now.__setitem__(0, count))
    return measure


@pytest.mark.parametrize(
    ("alone", "together", "expected"), [(0.1, 0.05, 4), (0.1, 0.09, 1), (0.001, 0.0005, 4), (0.01, 0.13, 1)]
)
def test_a_step_is_shared_where_that_makes_it_faster(
    measured: Callable[..., list[int]], alone: float, together: float, expected: int
) -> None:
    steps = measured(alone=alone, together=together)
    assert choose_threads(lambda: None, share=4) == expected
    assert steps == [1, *[1, 1, 4, 4] * 4]


def test_a_long_step_is_shared_untried_and_a_share_of_one_is_one(measured: Callable[..., list[int]]) -> None:
    steps = measured(alone=0.6, together=9.0)
    assert (choose_threads(lambda: None, share=4), steps) == (4, [1])
    assert (choose_threads(lambda: None, share=1), steps) == (1, [1])


def test_all_processes_decide_by_what_the_first_one_measured(measured: Callable[..., list[int]]) -> None:
    steps = measured(alone=0.9, together=0.9)
    told = chain((0.2,), cycle((0.2, 0.2, 0.1, 0.1)))
    assert choose_threads(lambda: None, share=4, tell=lambda _: next(told)) == 4
    assert steps == [1, *[1, 1, 4, 4] * 4]


def test_a_control_group_limits(tmp_path: Path) -> None:
    file = tmp_path / "cpu.max"
    file.write_text("150000 100000\n")
    assert threads._quota(file) == 1.5
    file.write_text("max 100000\n")
    assert threads._quota(file) is None


def test_slow_reading_is_done_ahead() -> None:
    assert choose_workers(lambda: None) == 0
    assert choose_workers(lambda: time.sleep(0.01)) == 2
