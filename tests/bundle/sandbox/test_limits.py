"""Large models get more memory and time, in proportion to their weights."""

from __future__ import annotations

from zoo.bundle.sandbox.limits import LARGE, Limits


def test_small_models_have_the_usual_limits() -> None:
    assert Limits.beside(0) == Limits.beside(LARGE) == Limits()


def test_weights_of_a_gigabyte_have_four_times_as_long() -> None:
    limits = Limits.beside(4 * LARGE)
    assert (limits.cpu_seconds, limits.wall_seconds) == (480, 480)
    assert limits.memory_mb == Limits().memory_mb + 3 * 1024
