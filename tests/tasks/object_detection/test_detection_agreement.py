from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from zoo.api.task import Agreement, Case
from zoo.tasks.object_detection.agreement import agreement
from zoo.tasks.object_detection.matching import boxes_of, overlap_ranges
from zoo.tasks.object_detection.precision import precision

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


def test_as_many_scores_and_labels_as_boxes() -> None:
    more = {**GOOD, "boxes": np.concatenate([GOOD["boxes"], GOOD["boxes"][:1]])}
    assert compare(GOOD, more).disagreements == ("one: 4 boxes and 3 scores and 3 labels",)


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


def test_thin_boxes_whose_edges_are_off_by_the_reference_s_own_error_are_alike() -> None:
    """A pixel of noise along a border decides neither that two boxes are others, nor which of them suppresses."""
    first, other = [90, 0, 90, 40], [89.97, 0, 90, 40.038]
    assert not compare(answer([first], [0.6], [1]), answer([other], [0.6], [1])).holds
    assert compare(answer([first], [0.6], [1]), answer([other], [0.6], [1]), boxes=0.004).agreeing == 1
    both = answer([[89.9, 0, 90, 40], first], [0.7, 0.6], [1, 1])
    kept = answer([[89.9, 0, 90, 40]], [0.7], [1])
    assert not compare(kept, both).holds
    assert compare(kept, both, boxes=0.008).undecided == 1


def test_what_a_borderline_box_suppresses_or_pushes_out_is_borderline_as_well() -> None:
    kept, borderline, suppressed = [10, 10, 30, 30], [10, 10, 30, 20.05], [10, 10, 30, 17]
    with_it = answer([kept, borderline], [0.9, 0.8], [0, 0])
    without = answer([kept, suppressed], [0.9, 0.7], [0, 0])
    assert compare(with_it, without).undecided == 1
    assert compare(without, with_it).undecided == 1
    surer = answer([kept, suppressed], [0.9, 0.85], [0, 0])  # what is surer is suppressed by nothing
    assert not compare(with_it, surer).holds
    assert not compare(with_it, answer([kept, [50, 10, 70, 17]], [0.9, 0.7], [0, 0])).holds

    boxes = [[12.0 * n, 50, 12.0 * n + 9, 59] for n in range(21)]
    scores = np.linspace(0.8, 0.5, 21)
    full = answer([kept, *boxes[:19]], [0.9, *scores[:19]], [0] * 20)
    pushed = answer([kept, borderline, *boxes[:18]], [0.9, 0.85, *scores[:18]], [0] * 20)
    assert compare(full, pushed).undecided == 1
    assert compare(pushed, full).undecided == 1
    fewer = {name: values[:19] for name, values in pushed.items()}
    assert not compare(full, fewer).holds


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


def test_a_full_answer_of_other_boxes_that_are_all_sure_differs() -> None:
    """All its scores are those of its last box, but rounding would not put a surer box at the end of the right one."""
    boxes = [[12.0 * n, 0, 12.0 * n + 9, 9] for n in range(20)]
    right = answer(boxes, [*np.linspace(0.9, 0.7, 20)], [0] * 20)
    saturated = answer([[0, y, 211, y] for y in range(20)], [1.0] * 20, [7] * 20)
    assert not compare(right, saturated).holds
    assert not compare(saturated, right).holds
    nine = answer([*boxes[:19], [500, 0, 509, 9]], [*np.linspace(0.9, 0.7, 20)[:19], 0.75], [0] * 20)
    assert not compare(right, nine).holds


def test_the_noise_of_answers_in_another_order_opens_no_door() -> None:
    assert not compare(GOOD, answer(BOXES, [0.9, 0.8, 0.699], [0, 1, 0]), scores=100.0, boxes=100.0).holds


def test_the_least_and_the_greatest_overlap() -> None:
    box = np.array([0.0, 0, 10, 10])
    others = boxes_of(answer([[0, 0, 10, 10], [5, 0, 15, 10], [11, 0, 20, 10]], [1, 1, 1], [0, 0, 0]))
    for overlaps in overlap_ranges(box, others, label=0, edge=0.0):
        np.testing.assert_allclose(overlaps, [1, 1 / 3, 0], rtol=1e-5)
    least, most = overlap_ranges(box, others, label=0, edge=0.5)
    assert (least < [0.7, 0.25, 1e-9]).all()
    np.testing.assert_allclose(most, [1, 1 / (9 / 6 + 9 / 6 - 1), 0], rtol=1e-5, atol=1e-6)


def test_the_overlap_of_boxes_without_width_is_at_most_that_of_their_heights() -> None:
    line = np.array([90.0, 0, 90, 40])
    others = boxes_of(answer([[90, 20, 90, 80], [90, 0, 91, 40]], [1, 1], [0, 0]))
    least, most = overlap_ranges(line, others, label=0, edge=0.01)
    np.testing.assert_allclose(least, 0)
    np.testing.assert_allclose(most, [0.25, 0.02 / 0.98], rtol=2e-3)


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
