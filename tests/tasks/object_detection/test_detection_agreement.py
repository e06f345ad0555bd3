from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from zoo.api.task import Agreement, Case
from zoo.tasks.object_detection.agreement import agreement, overlaps, precision

Answer = dict[str, np.ndarray[Any, Any]]
BOXES = [[10, 10, 30, 30], [40, 10, 80, 60], [0, 50, 9, 90]]


def answer(boxes: Sequence[Sequence[float]], scores: Sequence[float], labels: list[int]) -> Answer:
    return {
        "boxes": np.array(boxes, np.float32).reshape(-1, 4),
        "scores": np.array(scores, np.float32),
        "labels": np.array(labels, np.int64),
    }


GOOD = answer(BOXES, [0.9, 0.8, 0.7], [0, 1, 0])
NONE = answer([], [], [])


def compare(expected: Answer, actual: Answer, **noise: float) -> Agreement:
    return agreement([expected], [actual], cases=[Case(name="one", kind="realistic", inputs={})], noise=noise)


def test_the_surest_stand_first_and_of_equal_ones_any() -> None:
    turned = {name: values[::-1] for name, values in GOOD.items()}
    [sentence] = compare(GOOD, turned).disagreements
    assert sentence == "one: class 1 at (40.0, 10.0, 80.0, 60.0) with score 0.8000 stands behind one with a lower score"
    equal = answer(BOXES, [0.8, 0.8, 0.7], [0, 1, 0])
    other = {name: values[[1, 0, 2]] for name, values in equal.items()}
    assert compare(equal, other).agreeing == 1
    assert compare(NONE, NONE).agreeing == 1


@pytest.mark.parametrize(
    "other",
    [
        answer([[10, 10, 30, 30], [40, 10, 80, 60], [0, 50, 9, 70]], [0.9, 0.8, 0.7], [0, 1, 0]),
        answer([[10, 10, 30, 30], [40, 10, 80, 60], [0, 50, 9, 90.5]], [0.9, 0.8, 0.7], [0, 1, 0]),
        answer(BOXES, [0.9, 0.8, 0.699], [0, 1, 0]),
        answer(BOXES, [0.9, 0.8, 0.7], [0, 1, 1]),
        answer(BOXES[:2], [0.9, 0.8], [0, 1]),
        NONE,
    ],
    ids=["box", "edge", "score", "class", "missing", "nothing"],
)
def test_what_disagrees_is_said(other: Answer) -> None:
    found = compare(GOOD, other)
    assert not found.holds
    assert len(found.disagreements) == 1
    assert found.disagreements[0].startswith("one: class ")


def test_the_margins() -> None:
    at_threshold = answer([*BOXES, [50, 0, 70, 9]], [0.9, 0.8, 0.7, 0.050005], [0, 1, 0, 1])
    assert compare(at_threshold, GOOD).undecided == 1
    above = answer([*BOXES, [50, 0, 70, 9]], [0.9, 0.8, 0.7, 0.051], [0, 1, 0, 1])
    assert not compare(above, GOOD).holds
    below = answer([*BOXES, [50, 0, 70, 9]], [0.9, 0.8, 0.7, 0.049], [0, 1, 0, 1])
    assert not compare(GOOD, below).holds
    at_overlap = answer([*BOXES, [10, 10, 30, 20.1]], [0.9, 0.8, 0.7, 0.6], [0, 1, 0, 0])
    assert compare(at_overlap, GOOD).undecided == 1


def test_of_two_that_overlap_by_the_limit_the_surer_stays() -> None:
    both = answer([[10, 10, 30, 30], [10, 10, 30, 20.1]], [0.9, 0.6], [0, 0])
    assert compare(both, answer([[10, 10, 30, 30]], [0.9], [0])).undecided == 1
    assert not compare(both, answer([[10, 10, 30, 20.1]], [0.6], [0])).holds
    assert not compare(both, NONE).holds
    assert not compare(both, answer(both["boxes"].tolist(), [0.9, 0.6], [1, 1])).holds


def test_a_box_without_area_is_suppressed_by_its_like_or_not() -> None:
    """A box that was clipped to the border: its overlaps are 0 / 0, or made of the rounding of its edges."""
    one = answer([*BOXES, [90, 0, 90, 40]], [0.9, 0.8, 0.7, 0.6], [0, 1, 0, 1])
    for like in ([90, 0, 90, 40], [90, 0, 90.009, 41]):
        both = answer([*BOXES, [90, 0, 90, 40], like], [0.9, 0.8, 0.7, 0.6, 0.6], [0, 1, 0, 1, 1])
        assert compare(one, both).undecided == 1
        assert compare(both, one).undecided == 1
    for other, label in (([90, 20, 90, 80], 1), ([90, 0, 90, 40], 0), ([90, 0, 91, 40], 1)):
        more = answer([*BOXES, [90, 0, 90, 40], other], [0.9, 0.8, 0.7, 0.6, 0.6], [0, 1, 0, 1, label])
        assert not compare(one, more).holds
    assert not compare(answer(BOXES, [0.9, 0.8, 0.7], [0, 1, 0]), one).holds


def test_edges_may_be_off_by_the_reference_s_own_error() -> None:
    moved = answer([[10, 10, 30, 30.03], *BOXES[1:]], [0.9, 0.8, 0.7], [0, 1, 0])
    assert not compare(GOOD, moved).holds
    assert compare(GOOD, moved, boxes=0.004).agreeing == 1
    assert (
        compare(GOOD, answer([[10, 10, 30, 30.1], *BOXES[1:]], [0.9, 0.8, 0.7], [0, 1, 0]), boxes=100.0).holds is False
    )


def test_the_end_of_a_full_answer() -> None:
    """Two objects of equal score, and room for one: either may be answered, but only where the answer is full."""

    def row(count: int, last: int) -> Answer:
        boxes = [[12.0 * n, 0, 12.0 * n + 9, 9] for n in (*range(count - 1), last)]
        return answer(boxes, [*np.linspace(0.9, 0.8, count - 1), 0.7], [0] * count)

    assert compare(row(20, 30), row(20, 31)).undecided == 1
    assert not compare(row(19, 30), row(19, 31)).holds
    longer = row(21, 31)
    assert not compare({name: values[:20] for name, values in longer.items()}, longer).holds


def test_the_noise_of_answers_in_another_order_opens_no_door() -> None:
    assert not compare(GOOD, answer(BOXES, [0.9, 0.8, 0.699], [0, 1, 0]), scores=100.0, boxes=100.0).holds


def test_overlaps() -> None:
    one = np.array([[0.0, 0, 10, 10]])
    two = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10]])
    np.testing.assert_allclose(overlaps(one, two), [[1, 1 / 3, 0]])


def test_boxes_without_area_are_alike_in_the_same_place() -> None:
    line = answer([[60, 0, 60, 0.6]], [0.7], [0])
    assert compare(line, answer([[60.001, 0, 60.001, 0.601]], [0.7], [0])).agreeing == 1
    assert not compare(line, answer([[60.1, 0, 60.1, 0.6]], [0.7], [0])).holds


def test_precision_stands_beside() -> None:
    truth = {"boxes": np.array(BOXES, np.float32), "labels": np.array([0, 1, 0])}
    case = Case(name="one", kind="realistic", inputs={}, truth=truth)
    worse = answer(BOXES[:2], [0.9, 0.8], [0, 1])
    assert precision([GOOD], [case]) == pytest.approx({"map": 1.0, "map50": 1.0})
    # class 0: one of two found, which is 51 of the 101 levels of recall; class 1: all
    assert precision([worse], [case]) == pytest.approx({"map": (51 / 101 + 1) / 2, "map50": (51 / 101 + 1) / 2})
