"""The task's comparison of answers, where the file gives none."""

from __future__ import annotations

import numpy as np

from tests.builtin import builtin_task
from zoo.api.problem import ImageInput, Problem
from zoo.api.task import Case
from zoo_export.measure.agreement import agree
from zoo_export.reference.ties import SHAKES, shaken
from zoo_export.subject.module_io import Array

PROBLEM = Problem(task="image-classification", input=ImageInput(size=(4, 4)), classes=("a", "b", "c"))
CASES = [Case(name=name, kind="realistic", inputs={}) for name in ("first", "second")]
RIGHT = [{"probabilities": np.array([0.7, 0.2, 0.1], np.float32)}] * 2


def given(value: float) -> list[dict[str, Array] | str]:
    return [dict(RIGHT[0]), {"probabilities": np.full(3, value, np.float32)}]


def test_no_number_is_no_answer_although_its_first_place_is_the_largest() -> None:
    task = builtin_task("image-classification")
    naive = task.answers.agreement(
        RIGHT, [dict(RIGHT[0]), {"probabilities": np.full(3, np.nan)}], cases=CASES, noise={}
    )
    assert naive.holds  # the class is the right one, by luck
    for value in (np.nan, np.inf):
        found = agree(task, CASES, RIGHT, given(value), problem=PROBLEM, noise={})
        assert found is not None
        assert not found.holds
        assert found.disagreements == ("second: probabilities is not finite, PyTorch's is",)


def test_what_pytorch_itself_cannot_say_is_left_to_the_task() -> None:
    right = [{"probabilities": np.full(3, np.nan, np.float32)}] * 2
    task = builtin_task("image-classification")
    found = agree(task, CASES, right, [dict(right[0]), dict(right[1])], problem=PROBLEM, noise={})
    assert found is not None
    assert (found.items, found.agreeing, found.undecided) == (2, 0, 2)


def test_what_is_shaken_stays_within_its_noise() -> None:
    outputs = {"scores": np.array([0.5, 0.5, 0.0], np.float32), "regions": np.array([3, 1, -1])}
    draws = list(shaken(outputs, {"scores": 1e-6}))
    assert len(draws) == SHAKES
    assert {(str(one["scores"].dtype), one["regions"].tolist() == [3, 1, -1]) for one in draws} == {("float32", True)}
    assert 0 < max(float(np.abs(one["scores"] - outputs["scores"]).max()) for one in draws) <= 1.1e-6
    first = [bool(one["scores"][0] > one["scores"][1]) for one in draws]
    assert any(first) and not all(first)
    again = list(shaken(outputs, {"scores": 1e-6}))
    assert [one["scores"].tolist() for one in draws] == [one["scores"].tolist() for one in again]
