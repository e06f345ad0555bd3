from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zoo.api.task import MARGIN, Agreement, Case
from zoo.tasks.semantic_segmentation.agreement import agreement, scores

Answer = dict[str, np.ndarray[Any, Any]]
MAP = np.random.default_rng(0).integers(0, 4, (50, 60)).astype(np.uint8)
SURE = np.full(MAP.shape, 1.0)


def compare(actual: np.ndarray[Any, Any], *, margin: np.ndarray[Any, Any] = SURE, truth: Any = None) -> Agreement:
    case = Case(name="one", kind="realistic", inputs={}, truth=truth)
    return agreement([{"classes": MAP, MARGIN: margin}], [{"classes": actual}], cases=[case], noise={"classes": 1e-3})


def changed(count: int) -> np.ndarray[Any, Any]:
    other = MAP.copy()
    other.ravel()[:count] = (other.ravel()[:count] + 1) % 4
    return other


def test_equal_maps_agree() -> None:
    found = compare(MAP)
    assert (found.agreeing, found.undecided) == (1, 0)
    assert found.candidate_metrics == found.reference_metrics == {"equal_pixels": 1.0}


@pytest.mark.parametrize(("count", "holds"), [(3, True), (4, False), (3000, False)])
def test_a_thousandth_of_the_pixels_may_be_rounded_otherwise(count: int, holds: bool) -> None:
    found = compare(changed(count))
    assert found.holds is holds
    assert found.candidate_metrics["equal_pixels"] == pytest.approx(1 - count / 3000)
    if not holds:
        was, became = MAP[0, 0], changed(1)[0, 0]
        said = f"one: {count} of 3000 pixels differ away from ties, the first at (0, 0): class {was} became {became}"
        assert found.disagreements == (said,)


def test_ties_may_fall_either_way_but_not_most_of_a_picture() -> None:
    tied = SURE.copy()
    tied.ravel()[:100] = 0.009
    assert compare(changed(100), margin=tied).agreeing == 1
    clear = SURE.copy()
    clear.ravel()[:100] = 0.011
    assert not compare(changed(100), margin=clear).holds
    assert compare(MAP, margin=SURE * 0.009).undecided == 1


def test_another_shape_disagrees() -> None:
    assert not compare(MAP[1:]).holds


def test_scores_leave_open_pixels_out() -> None:
    truth = MAP.copy()
    truth[:25] = 255
    wrong = np.where(np.arange(50)[:, None] < 25, 0, MAP).astype(np.uint8)
    case = Case(name="one", kind="realistic", inputs={}, truth=truth)
    assert scores([{"classes": MAP}], [case]) == pytest.approx({"miou": 1.0, "pixel_accuracy": 1.0})
    assert scores([{"classes": wrong}], [case])["pixel_accuracy"] == 1.0
