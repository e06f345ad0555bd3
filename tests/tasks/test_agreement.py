"""Answers are compared as a user would compare them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.builtin import builtin_task
from zoo.api.problem import ImageInput, Problem
from zoo.api.task import Case

Answer = dict[str, np.ndarray[Any, Any]]
CLASSIFICATION = builtin_task("image-classification").answers
RECONSTRUCTION = builtin_task("image-reconstruction").answers
TEXT = builtin_task("text-classification").answers
WRITING = builtin_task("text-generation").answers
GREY = Problem(task="image-reconstruction", input=ImageInput(size=(4, 4), channels=1))
ABC = Problem(task="image-classification", input=ImageInput(size=(4, 4)), classes=("a", "b", "c"))


def said(*values: float) -> Answer:
    return {"probabilities": np.array(values, np.float32)}


def case(truth: Any = None, name: str = "x") -> Case:
    return Case(name=name, kind="realistic", inputs={}, truth=truth, origin=f"photos/{name}.jpg")


def test_the_same_answers_agree_and_are_scored() -> None:
    answers = [said(0.7, 0.2, 0.1), said(0.1, 0.3, 0.6)]
    found = CLASSIFICATION.agreement(answers, answers, cases=[case(0), case(1)], noise={"probabilities": 1e-7})
    assert (found.items, found.agreeing, found.undecided, found.holds) == (2, 2, 0, True)
    assert CLASSIFICATION.metrics(answers, [case(0), case(1)], ABC) == {"top1": 0.5}


def test_a_changed_first_answer_is_a_disagreement_in_words() -> None:
    found = CLASSIFICATION.agreement(
        [said(0.7, 0.3)], [said(0.4, 0.6)], cases=[case(name="cat")], noise={"probabilities": 1e-7}
    )
    assert not found.holds and found.agreeing == 0
    assert found.disagreements == ("photos/cat.jpg: class 0 (0.7000) became 1 (0.6000), with a margin of 0.4",)


@pytest.mark.parametrize(("noise", "undecided"), [(1e-3, 0), (2e-2, 1)])
def test_within_ten_times_the_noise_either_answer_is_right(noise: float, undecided: int) -> None:
    found = CLASSIFICATION.agreement(
        [said(0.55, 0.45)], [said(0.45, 0.55)], cases=[case()], noise={"probabilities": noise}
    )
    assert found.undecided == undecided and found.holds == bool(undecided)


def test_a_tie_of_two_excuses_no_third() -> None:
    tied, third = said(0.45, 0.45, 0.1), said(0.0, 0.01, 0.99)
    assert not CLASSIFICATION.agreement([tied], [third], cases=[case()], noise={"probabilities": 1e-3}).holds
    words = {"probabilities": tied["probabilities"][None]}, {"probabilities": third["probabilities"][None]}
    assert not TEXT.agreement([words[0]], [words[1]], cases=[case()], noise={"probabilities": 1e-3}).holds
    assert TEXT.agreement([words[0]], [words[0]], cases=[case()], noise={"probabilities": 1e-3}).undecided == 1
    logits = {"logits": np.array([[[2.0, 2.0, 0.0], [3.0, 0.0, 0.0]]])}
    others = {"logits": np.array([[[0.0, 0.0, 2.0], [3.0, 0.0, 0.0]]])}
    assert WRITING.agreement([logits], [logits], cases=[case()], noise={}).agreeing == 1
    assert not WRITING.agreement([logits], [others], cases=[case()], noise={}).holds


def test_ties_are_undecided_even_without_noise() -> None:
    assert CLASSIFICATION.agreement([said(0.5, 0.5)], [said(0.5, 0.5)], cases=[case()], noise={}).undecided == 1


def test_the_first_five_count_where_they_are_decided() -> None:
    reference = said(0.4, 0.2, 0.15, 0.12, 0.09, 0.04)
    swapped = said(0.4, 0.2, 0.15, 0.12, 0.04, 0.09)
    found = CLASSIFICATION.agreement([reference], [swapped], cases=[case()], noise={"probabilities": 1e-6})
    assert found.agreeing == 0 and "0 comes first in both" in found.disagreements[0]
    assert CLASSIFICATION.agreement([reference], [swapped], cases=[case()], noise={"probabilities": 0.01}).agreeing == 1


def test_two_nothings_do_not_agree() -> None:
    assert not CLASSIFICATION.agreement([], [], cases=[], noise={}).holds


def test_a_case_of_another_source_is_named_as_well() -> None:
    dark = replace(case(0), name="all black", origin="landscape, resized")
    found = CLASSIFICATION.agreement([said(0.7, 0.2, 0.1)], [said(0.1, 0.7, 0.2)], cases=[dark], noise={})
    assert found.disagreements[0].startswith("all black (landscape, resized): class 0")


def test_the_worst_disagreements_come_first_and_are_a_dozen() -> None:
    reference = [said(0.5 + number / 100, 0.5 - number / 100) for number in range(1, 20)]
    candidate = [said(0.1, 0.9)] * 19
    found = CLASSIFICATION.agreement(reference, candidate, cases=[case(name=str(n)) for n in range(1, 20)], noise={})
    assert len(found.disagreements) == 12 and found.disagreements[0].startswith("photos/19.jpg")


def picture(*levels: int) -> Answer:
    return {"image_out": np.array(levels, np.uint8).reshape(-1, 1, 1)}


def test_pictures_agree_within_one_level() -> None:
    one, other = picture(*[100] * 2000), picture(*[101] * 1999, 90)
    found = RECONSTRUCTION.agreement([one], [other], cases=[case(truth=one["image_out"])], noise={})
    assert found.holds
    known = [case(truth=one["image_out"])]
    assert RECONSTRUCTION.metrics([one], known, GREY) == {}
    expected = {"psnr": pytest.approx(10 * np.log10(255**2 / ((1999 + 100) / 2000)))}
    assert RECONSTRUCTION.metrics([other], known, GREY) == expected


def test_pictures_with_more_pixels_away_disagree() -> None:
    one, other = picture(*[100] * 500), picture(*[100] * 499, 90)
    found = RECONSTRUCTION.agreement([one], [other], cases=[case()], noise={})
    assert found.disagreements == ("photos/x.jpg: 0.20% of the pixels are more than one level away, up to 10",)
