"""The task's comparison of answers, where the file gives none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.builtin import builtin_task
from zoo.api.problem import ImageInput, Problem
from zoo.api.task import Agreement, Case
from zoo.models.outputs import Array
from zoo_export.measure.agreement import AgreementCases, RawAgreement, measure_agreement
from zoo_export.reference.ties import PERTURBATIONS, perturb
from zoo_export.subject.results import Failed, RuntimeOutputs

PROBLEM = Problem(task="image-classification", input=ImageInput(size=(4, 4)), classes=("a", "b", "c"))
CASES = [Case(name=name, kind="realistic", inputs={}) for name in ("first", "second")]
RIGHT = [{"probabilities": np.array([0.7, 0.2, 0.1], np.float32)}] * 2


def expected(task: Any, cases: Sequence[Case], right: Sequence[Mapping[str, Array]], **more: Any) -> AgreementCases:
    return AgreementCases(task=task, problem=PROBLEM, cases=cases, reference=right, noise={}, **more)


def given(value: float) -> list[RuntimeOutputs]:
    return [dict(RIGHT[0]), {"probabilities": np.full(3, value, np.float32)}]


def test_no_number_is_no_answer_although_its_first_place_is_the_largest() -> None:
    task = builtin_task("image-classification")
    naive = task.answers.agreement(
        RIGHT, [dict(RIGHT[0]), {"probabilities": np.full(3, np.nan)}], cases=CASES, noise={}
    )
    assert naive.holds  # the class is the right one, by luck
    for value in (np.nan, np.inf):
        found = measure_agreement(expected(task, CASES, RIGHT), given(value))
        assert found is not None
        assert not found.holds
        assert found.disagreements == ("second: probabilities is not finite, PyTorch's is",)


def test_an_answer_of_another_shape_disagrees_whatever_the_task_makes_of_it() -> None:
    longer = {"probabilities": np.array([0.1, 0.2, 0.1, 0.6], np.float32)}
    agreement = measure_agreement(
        expected(builtin_task("image-classification"), CASES, RIGHT), [dict(RIGHT[0]), longer]
    )
    assert agreement is not None
    assert (agreement.items, agreement.agreeing) == (2, 0)
    assert agreement.disagreements[0].startswith("second: probabilities is [4] instead of [3], and cannot be compared")
    missing = measure_agreement(expected(builtin_task("image-classification"), CASES, RIGHT), [dict(RIGHT[0]), {}])
    assert missing is not None
    assert missing.disagreements[0].startswith("second: probabilities is missing instead of [3]")


def test_what_pytorch_itself_cannot_say_is_left_to_the_task() -> None:
    right = [{"probabilities": np.full(3, np.nan, np.float32)}] * 2
    found = measure_agreement(
        expected(builtin_task("image-classification"), CASES, right), [dict(right[0]), dict(right[1])]
    )
    assert found is not None
    assert (found.items, found.agreeing, found.undecided) == (2, 0, 2)


def test_what_is_perturbed_stays_within_its_noise() -> None:
    outputs = {"scores": np.array([0.5, 0.5, 0.0], np.float32), "regions": np.array([3, 1, -1])}
    draws = list(perturb(outputs, {"scores": 1e-6}))
    assert len(draws) == PERTURBATIONS
    assert {(str(one["scores"].dtype), one["regions"].tolist() == [3, 1, -1]) for one in draws} == {("float32", True)}
    assert 0 < max(float(np.abs(one["scores"] - outputs["scores"]).max()) for one in draws) <= 1.1e-6
    first = [bool(one["scores"][0] > one["scores"][1]) for one in draws]
    assert any(first) and not all(first)
    again = list(perturb(outputs, {"scores": 1e-6}))
    assert [one["scores"].tolist() for one in draws] == [one["scores"].tolist() for one in again]


class Numbers:
    """Answers that are one number each."""

    def metrics(self, answers: Sequence[Any], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:  # noqa: ARG002
        return {"largest": float(max(answer["n"] for answer in answers))}

    def agreement(
        self,
        reference: Sequence[Any],
        candidate: Sequence[Any],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],  # noqa: ARG002  whole numbers have none
    ) -> Agreement:
        agreeing = sum(one["n"] == other["n"] for one, other in zip(reference, candidate, strict=True))
        wrong = [case.name for case, a, b in zip(cases, reference, candidate, strict=True) if a["n"] != b["n"]]
        return Agreement(items=len(cases), agreeing=agreeing, undecided=0, disagreements=tuple(wrong))


@pytest.mark.parametrize(
    ("others", "agreeing", "undecided", "disagreements"),
    [
        ({}, 2, 0, ("c",)),
        ({2: [3]}, 2, 0, ("c",)),
        ({2: [3, 4]}, 2, 0, ("c",)),
        ({2: [3, 9]}, 2, 1, ()),
        ({2: None}, 2, 1, ()),
        ({0: [7], 2: [3]}, 2, 0, ("c",)),
    ],
)
def test_a_disagreement_is_excused_where_pytorch_could_give_another_answer(
    others: dict[int, list[int] | None], agreeing: int, undecided: int, disagreements: tuple[str, ...]
) -> None:
    cases = [Case(name=name, kind="realistic", inputs={}) for name in "abc"]
    right, actual = ([{"n": np.array(n)} for n in row] for row in ((1, 2, 3), (1, 2, 9)))
    task: Any = SimpleNamespace(name="numbers", answers=Numbers())

    def alternatives(index: int) -> list[dict[str, Any]] | Failed:
        numbers = others.get(index, [])
        return Failed("too many") if numbers is None else [{"n": np.array(n)} for n in numbers]

    found = measure_agreement(expected(task, cases, right, alternatives=alternatives), actual)
    assert found is not None
    assert (found.items, found.agreeing, found.undecided) == (3, agreeing, undecided)
    assert found.unknown == int(others.get(2, []) is None)
    assert found.disagreements == disagreements
    assert (found.reference_metrics, found.candidate_metrics) == ({"largest": 3.0}, {"largest": 9.0})
    assert found.holds == (not disagreements)


def test_a_task_that_leaves_items_out_has_not_compared_them() -> None:
    class Half(Numbers):
        def agreement(self, reference: Any, candidate: Any, *, cases: Any, noise: Any) -> Agreement:
            same = [place for place, one in enumerate(reference) if one["n"] == candidate[place]["n"]]
            rows = ([row[place] for place in same] for row in (reference, candidate))
            return super().agreement(*rows, cases=[cases[place] for place in same], noise=noise)

    cases = [Case(name=name, kind="realistic", inputs={}) for name in "ab"]
    right, actual = ([{"n": np.array(n)} for n in row] for row in ((1, 3), (1, 9)))
    task: Any = SimpleNamespace(name="numbers", answers=Half())
    found = measure_agreement(expected(task, cases, right), actual)
    assert found is not None
    assert (found.items, found.agreeing, found.undecided) == (2, 0, 0)
    assert found.disagreements == ("numbers compared 1 of 2 answers",)


@pytest.mark.parametrize(("near", "undecided"), [([], 0), ([3, 4], 0), ([3, 9], 1)])
def test_a_disagreement_is_excused_where_the_file_gives_an_answer_near_pytorchs(
    near: list[int], undecided: int
) -> None:
    """That PyTorch could answer otherwise is no excuse for a third answer."""
    cases = [Case(name=name, kind="realistic", inputs={}) for name in "ab"]
    right, actual = ([{"n": np.array(n)} for n in row] for row in ((1, 3), (1, 9)))
    task: Any = SimpleNamespace(name="numbers", answers=Numbers())
    near_cases = expected(task, cases, right, within_noise=lambda _: [{"n": np.array(n)} for n in near])
    found = measure_agreement(near_cases, actual)
    assert found is not None
    assert (found.agreeing, found.undecided, found.holds) == (1, undecided, undecided == 1)


def test_the_raw_cases_of_a_mutant_are_those_that_gate_and_have_a_reference() -> None:
    cases = [Case(name=name, kind="realistic", inputs={}) for name in "ac"]
    task: Any = SimpleNamespace(name="numbers", answers=Numbers())
    raw = RawAgreement(indices=(0, 2), expected=expected(task, cases, [{"n": np.array(n)} for n in (1, 3)]))
    outputs: list[RuntimeOutputs] = [{"n": np.array(n)} for n in (3, 9, 1)]
    found = raw.measure((2, 1, 0), outputs, noise={})
    assert found is not None
    assert (found.items, found.agreeing) == (2, 2)
    assert raw.measure((1,), outputs[:1], noise={}) is None
