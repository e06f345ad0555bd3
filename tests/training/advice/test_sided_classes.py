"""Which names of classes mean something that the mirror changes."""

from __future__ import annotations

import pytest

from zoo.training.advice.sided_classes import sided_class


@pytest.mark.parametrize(
    "name",
    [
        *("3", "b", "A", "digit_0", "digit0", "seven", "letter12", "猫"),
        *("left", "turn left", "turnLeft", "leftturn", "LEFT-HAND", "lung_right", "gauche", "izquierda"),
        *("clockwise", "ccw", "arrow-up", "stop_sign", "eastbound"),
    ],
)
def test_a_name_that_the_mirror_changes(name: str) -> None:
    assert sided_class(("cat", name, "dog")) == name


@pytest.mark.parametrize("name", ["cat", "airplane", "café", "élan", "pâté", "n01440764", "bright", "design", "Ärztin"])
def test_a_name_that_says_nothing_of_sides(name: str) -> None:
    assert sided_class((name,)) == ""
