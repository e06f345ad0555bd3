"""What the device lists of the boxes found, and the option that decides it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zoo.tasks.object_detection import device

ANSWER = {
    "boxes": np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.float32),
    "scores": np.array([0.6, 0.2], np.float32),
    "labels": np.array([1, 0]),
}


@pytest.mark.parametrize(("least", "listed"), [(None, ["dog"]), ("0.1", ["dog", "cat"]), ("0.9", [])])
def test_the_threshold_decides_which_boxes_are_listed(least: str | None, listed: list[str]) -> None:
    problem: dict[str, Any] = {"classes": ["cat", "dog"], "facts": {"max_detections": 9}}
    options = [] if least is None else ["--threshold", least]
    assert device.choose([*options, "a.png"], problem) == ["a.png"]
    assert [name for name, _, _ in device.found(ANSWER, problem)] == listed
    assert problem["facts"]["max_detections"] == 9


@pytest.mark.parametrize("options", [["--threshold"], ["--threshold", "high"], ["--threshold", "1.5", "a.png"]])
def test_a_wrong_threshold_leaves_nothing_to_answer(options: list[str]) -> None:
    assert device.choose(options, {}) == []


def test_the_text_names_the_threshold() -> None:
    problem = {"classes": ["cat", "dog"], "facts": {"threshold": 0.55}}
    assert device.show(ANSWER, problem).splitlines()[-1] == "and 1 with a score below 55%"
