"""Unit vectors: measured where the truth is known, compared in pairs, shown with their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from tests.builtin import builtin_task
from zoo import Case, ImageInput, Problem
from zoo.tasks.bases.embeddings import EmbeddingAnswers

PROBLEM = Problem(task="x", input=ImageInput(size=(1, 1)))


class Counted(EmbeddingAnswers):
    """How many, and the sum of their first numbers."""

    def measured(self, embeddings: np.ndarray[Any, Any], truths: Sequence[Any]) -> Mapping[str, float]:
        """Of those that are known."""
        return {"known": len(truths), "first": float(embeddings[:, 0].sum())}


def answer(degrees: float) -> dict[str, Any]:
    angle = np.deg2rad(degrees)
    return {"embedding": np.array([[np.cos(angle), np.sin(angle)]])}


def case(truth: Any = None) -> Case:
    return Case(name="x", kind="realistic", inputs={}, truth=truth)


def test_only_what_is_known_is_measured() -> None:
    answers = [answer(0), answer(60), answer(90)]
    metrics = Counted().metrics(answers, [case("a"), case("b"), case()], PROBLEM)
    assert metrics == {"known": 2, "first": pytest.approx(1.5)}
    assert Counted().metrics(answers, [case()] * 3, PROBLEM) == {}


def test_a_pair_says_whether_it_is_one_where_a_task_decides_that() -> None:
    answers = [answer(0), answer(60)]
    plain = Counted().compare(["a", "b"], answers, PROBLEM).record
    assert plain == {"pairs": [{"a": "a", "b": "b", "similarity": pytest.approx(0.5)}]}
    faces = builtin_task("image-embedding").answers
    decided = Problem(task="x", input=PROBLEM.input, facts={"threshold": 0.4, "far": 0.01})
    record = faces.compare(["a", "b"], answers, decided).record
    assert record == {
        "threshold": 0.4,
        "far": 0.01,
        "pairs": [{"a": "a", "b": "b", "similarity": pytest.approx(0.5), "same": True}],
    }


def test_texts_are_found_by_their_labels() -> None:
    texts = builtin_task("text-embedding").answers
    answers = [answer(0), answer(10), answer(90), answer(100)]
    metrics = texts.metrics(answers, [case("a"), case("a"), case("b"), case("b")], PROBLEM)
    assert metrics["retrieval_accuracy"] == 1.0
    assert metrics["cosine_same"] == pytest.approx(np.cos(np.deg2rad(10)))
