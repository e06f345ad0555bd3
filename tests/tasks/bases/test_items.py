"""What a task says of one item becomes agreement and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from zoo import Case, ImageInput, ItemAnswers, Problem, Verdict, numeric_verdict
from zoo.tasks.bases.items import ClassAnswers, LevelAnswers, with_truth

Arrays = Mapping[str, np.ndarray[Any, Any]]
PROBLEM = Problem(task="numbers", input=ImageInput(size=(1, 1)), classes=("a", "b", "c"))


class Numbers(ItemAnswers):
    """`value` [1]; the truth is a number."""

    def verdict(self, expected: Arrays, actual: Arrays, case: Case, noise: Mapping[str, float]) -> Verdict:  # noqa: ARG002
        """Within the noise."""
        return numeric_verdict(expected, actual, tolerance=noise.get("value", 0.0))

    def item_metrics(self, answer: Arrays, case: Case, problem: Problem) -> Mapping[str, float]:  # noqa: ARG002
        """error and its square."""
        error = abs(float(answer["value"][0]) - case.truth)
        return {"error": error, "square": error**2}


def answer(value: float) -> dict[str, np.ndarray[Any, Any]]:
    return {"value": np.array([value])}


def case(name: str, truth: Any = None) -> Case:
    return Case(name=name, kind="realistic", inputs={}, truth=truth)


def test_verdicts_are_counted_and_the_worst_comes_first() -> None:
    reference, candidate = [answer(1), answer(2), answer(3)], [answer(1.05), answer(2.5), answer(5)]
    cases = [case("a"), case("b"), case("c")]
    found = Numbers().agreement(reference, candidate, cases=cases, noise={"value": 0.1})
    assert (found.items, found.agreeing, found.undecided) == (3, 1, 0)
    assert found.disagreements == ("c: value is off by up to 2", "b: value is off by up to 0.5")


def test_metrics_are_means_over_what_is_known() -> None:
    answers, cases = [answer(1), answer(2), answer(9)], [case("a", 3.0), case("b", 6.0), case("c")]
    assert Numbers().metrics(answers, cases, PROBLEM) == {"error": 3.0, "square": 10.0}
    assert Numbers().metrics(answers[2:], cases[2:], PROBLEM) == {}
    assert [known.name for _, known in with_truth(answers, cases)] == ["a", "b"]


def test_a_task_that_says_nothing_is_told_what_to_say() -> None:
    with pytest.raises(NotImplementedError, match="ItemAnswers must say verdict"):
        ItemAnswers().agreement([answer(1)], [answer(1)], cases=[case("a")], noise={})
    assert ItemAnswers().metrics([answer(1)], [case("a", 1.0)], PROBLEM) == {}


@pytest.mark.parametrize("shape", [(3,), (1, 3)])
def test_classes_are_ranked_with_what_the_data_say(shape: tuple[int, ...]) -> None:
    said = {"probabilities": np.array([0.2, 0.7, 0.1]).reshape(shape)}
    assert ClassAnswers().record(case("x", 0), said, PROBLEM, 2) == {
        "classes": [{"name": "b", "probability": 0.7}, {"name": "a", "probability": 0.2}],
        "truth": "a",
    }
    assert ClassAnswers().record(case("x"), said, PROBLEM, 1)["truth"] is None
    other = {"probabilities": np.array([0.7, 0.2, 0.1]).reshape(shape)}
    assert ClassAnswers().verdict(said, other, case("x"), {"probabilities": 0.01}).state == "differing"
    assert ClassAnswers().verdict(said, other, case("x"), {"probabilities": 0.06}).state == "undecided"


def test_levels_may_differ_by_one() -> None:
    class Pictures(LevelAnswers):
        output = "picture"

    grey = {"picture": np.full((10, 10), 100, np.uint8)}
    for change, state in ((1, "agreeing"), (2, "differing")):
        other = {"picture": grey["picture"] + np.uint8(change)}
        assert Pictures().verdict(grey, other, case("x"), {}).state == state
