"""Steps that are timed before a training."""

from __future__ import annotations

import time
from typing import Any

import pytest

from zoo.training.launch import rehearsal


@pytest.mark.parametrize(
    ("cost", "timed"), [(1.0, [0, 0]), (3.5, [12, 12, 37, 37, 62, 62, 87, 87])], ids=["alike", "growing"]
)
def test_steps_of_all_parts_of_a_growing_training_are_timed(
    cost: float, timed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each twice, of which the second counts."""
    numbers: list[int] = []
    clock = iter(range(1_000))
    monkeypatch.setattr(rehearsal, "later_cost", lambda _: cost)
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    training: Any = None
    assert rehearsal._mean_step_seconds(training, numbers.append, 100) == 1.0
    assert numbers == timed
