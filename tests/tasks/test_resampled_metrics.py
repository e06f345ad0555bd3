"""The metrics of a selection of items: the fast way gives what the metrics of those very items are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.builtin import builtin_task
from zoo.api.problem import AudioInput, ImageInput, Input, Problem, TokenInput
from zoo.api.task import Case, ResampledMetrics

Arrays = dict[str, np.ndarray]
IMAGE = ImageInput(size=(8, 8))
ITEMS = 12


def scene(rng: np.random.Generator) -> tuple[Arrays, Any]:
    """Up to three objects of three classes, and detections that are near some of them."""
    count = int(rng.integers(0, 4))
    corner, size = rng.uniform(0, 60, (count, 2)), rng.uniform(10, 30, (count, 2))
    boxes, labels = np.concatenate([corner, corner + size], 1), rng.integers(0, 3, count)
    detected = int(rng.integers(0, 6)) if count else 0
    near = rng.integers(0, max(count, 1), detected)
    answer = {
        "boxes": (boxes[near] + rng.normal(0, 1, (detected, 4))).astype(np.float32),
        "scores": rng.random(detected).astype(np.float32),
        "labels": np.where(rng.random(detected) < 0.8, labels[near], 2),
    }
    ignored = {"ignored": np.array([[0.0, 0.0, 20.0, 20.0]]), "ignored_labels": np.array([1])}
    return answer, {"boxes": boxes, "labels": labels, **ignored}


def masks(rng: np.random.Generator) -> tuple[Arrays, Any]:
    truth = rng.integers(0, 4, (6, 5))
    classes = np.where(rng.random(truth.shape) < 0.7, truth, 1).astype(np.uint8)
    return {"classes": classes}, np.where(rng.random(truth.shape) < 0.1, 255, truth)


def sequence(rng: np.random.Generator) -> tuple[Arrays, Any]:
    length = int(rng.integers(1, 7))
    return {"logits": rng.normal(size=(1, length, 8)).astype(np.float32)}, rng.integers(0, 8, length)


VOCABULARY = ("<pad>", "<unk>", "<end>", "a", "b", "ca", "da", "eat")
TASKS: dict[str, tuple[Any, Input, tuple[str, ...]]] = {
    "object-detection": (scene, IMAGE, ()),
    "semantic-segmentation": (masks, IMAGE, ()),
    "text-generation": (sequence, TokenInput(), VOCABULARY),
    "audio-generation": (sequence, AudioInput(sample_rate=4_000), ()),
}


@pytest.mark.parametrize("name", TASKS)
def test_a_selection_is_measured_as_its_items_are(name: str) -> None:
    make, input, vocabulary = TASKS[name]
    task, rng = builtin_task(name), np.random.default_rng(0)
    problem = Problem(task=name, input=input, classes=("a", "b", "c", "d"), vocabulary=vocabulary)
    answers, truths = zip(*(make(rng) for _ in range(ITEMS)), strict=True)
    cases = [Case(name=str(index), kind="item", inputs={}, truth=truth) for index, truth in enumerate(truths)]
    assert isinstance(task.answers, ResampledMetrics)
    measure = task.answers.resampled_metrics(answers, cases, problem)
    for _ in range(8):
        chosen = rng.integers(0, ITEMS, ITEMS).tolist()
        expected = task.answers.metrics([answers[i] for i in chosen], [cases[i] for i in chosen], problem)
        assert task.monitor.metric in expected
        assert dict(measure(chosen)) == pytest.approx(dict(expected), rel=1e-12)


def test_pictures_without_objects_have_no_precision_and_without_detections_none_is_right() -> None:
    task, problem = builtin_task("object-detection"), Problem(task="object-detection", input=IMAGE, classes=("a", "b"))
    box, nothing = np.array([[1.0, 1.0, 5.0, 5.0]]), {"boxes": np.zeros((0, 4)), "labels": np.zeros(0, np.int64)}
    truths = [{"boxes": box, "labels": np.array([1])}, nothing]
    cases = [Case(name=str(index), kind="item", inputs={}, truth=truth) for index, truth in enumerate(truths)]
    right = {"boxes": box, "scores": np.array([0.9]), "labels": np.array([1])}
    silent = {**nothing, "scores": np.zeros(0)}
    assert isinstance(task.answers, ResampledMetrics)
    measure = task.answers.resampled_metrics([right, silent], cases, problem)
    assert (measure([0, 0, 1]), measure([1, 1])) == ({"map": 1.0, "map50": 1.0}, {})
    quiet = task.answers.resampled_metrics([silent, silent], cases, problem)
    assert (quiet([0, 1]), quiet([1])) == ({"map": 0.0, "map50": 0.0}, {})
