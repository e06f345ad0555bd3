"""The drop of a metric, and its paired bootstrap."""

from __future__ import annotations

import numpy as np
import pytest

from tests.builtin import builtin_task
from zoo.api.problem import ImageInput, Problem
from zoo.api.task import Case
from zoo.bundle.judge.variant_evidence import MetricDrop
from zoo.bundle.judge.variant_rule import upper_drop
from zoo_export.subject.results import Failed
from zoo_export.variants import metric
from zoo_export.variants.metric import metric_drop

TASK = builtin_task("image-classification")
PROBLEM = Problem(task="image-classification", input=ImageInput(size=(8, 8)), classes=("ant", "bee"))
CASES = [Case(name=str(n), kind="item", inputs={}, truth=n % 2) for n in range(200)]


def answers(wrong: int) -> list[dict[str, np.ndarray]]:
    """Right but for the first ones."""
    found = []
    for index, case in enumerate(CASES):
        chosen = case.truth if index >= wrong else 1 - case.truth
        found.append({"probabilities": np.eye(2, dtype=np.float32)[chosen]})
    return found


def drop(before: int, after: int) -> MetricDrop:
    found = metric_drop(TASK, PROBLEM, CASES, answers(before), answers(after))
    assert not isinstance(found, Failed)
    return found


def test_equal_answers_fall_by_nothing() -> None:
    same = drop(10, 10)
    assert (same.name, same.items, same.baseline, same.value) == ("top1", 200, 0.95, 0.95)
    assert set(same.resampled) == {0.0}


def test_a_loss_is_larger_at_the_upper_end_than_on_the_items() -> None:
    worse = drop(10, 14)
    assert worse.baseline - worse.value == pytest.approx(0.02)
    assert len(worse.resampled) == 1_000
    assert 0.03 < upper_drop(worse) < 0.06
    assert worse.resampled == drop(10, 14).resampled  # seeded


def test_a_gain_is_a_negative_drop() -> None:
    assert upper_drop(drop(14, 10)) <= 0.0


def test_without_a_known_truth_there_is_no_metric() -> None:
    unknown = [Case(name="a", kind="item", inputs={})]
    found = metric_drop(TASK, PROBLEM, unknown, answers(0)[:1], answers(0)[:1])
    assert isinstance(found, Failed)
    assert "no evaluation items with a known truth" in found.reason


SEGMENTATION = builtin_task("semantic-segmentation")


def masks(wrong: int) -> tuple[list[Case], list[dict[str, np.ndarray]]]:
    """Pictures of four classes, and answers with one class for another in the first ones."""
    rng = np.random.default_rng(0)
    truths = rng.integers(0, 4, (100, 6, 6))
    cases = [Case(name=str(n), kind="item", inputs={}, truth=truth) for n, truth in enumerate(truths)]
    found = [np.where(truth == 1, 2, truth) if n < wrong else truth for n, truth in enumerate(truths)]
    return cases, [{"classes": classes.astype(np.uint8)} for classes in found]


def test_resampling_by_the_task_gives_the_drops_of_metrics_computed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    (cases, before), (_, after) = masks(5), masks(12)
    fast = metric_drop(SEGMENTATION, PROBLEM, cases, before, after)
    monkeypatch.setattr(metric, "_resampling", lambda *_: None)
    assert metric_drop(SEGMENTATION, PROBLEM, cases, before, after) == fast
    assert isinstance(fast, MetricDrop) and len(fast.resampled) == 200 and len(set(fast.resampled)) > 100


def test_a_task_that_measures_a_selection_in_another_way_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    cases, given = masks(5)
    monkeypatch.setattr(SEGMENTATION.answers, "resampled_metrics", lambda *_: lambda _: {"miou": 0.5})
    refused = metric_drop(SEGMENTATION, PROBLEM, cases, given, given)
    assert isinstance(refused, Failed)
    assert "gives two values of miou for the same answers: 0.5 as its resampled_metrics has it" in refused.reason
