"""The metrics by hand, the threshold on its way to the answer, and what people see."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.builtin import builtin_task
from zoo.api.data import DataCard, DataRequest, DataSource
from zoo.api.problem import ImageInput, Problem
from zoo.api.task import Case, Item, Purpose
from zoo.data.formats.samples import Sample
from zoo.tasks.image_embedding.metrics import VerificationMetrics

TASK = builtin_task("image-embedding")
INPUT = ImageInput(size=(8, 8), channels=1, mean=(0.1,), std=(0.3,), embedding=2)
PROBLEM = Problem(task="image-embedding", input=INPUT, facts={"identities": 3})


def directions(*degrees: float) -> torch.Tensor:
    turns = torch.deg2rad(torch.tensor(degrees))
    return torch.stack([turns.cos(), turns.sin()], 1)


def measured() -> VerificationMetrics:
    """Four pictures in two batches, in another order than their places; 0 and 1 are one identity, 2 and 3 another."""
    metrics = VerificationMetrics()
    pairs = torch.tensor([[0, 1, 1], [0, 2, 0], [0, 3, 0], [1, 2, 0], [1, 3, 0], [2, 3, 1]])
    images = torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
    for places, degrees in (((3, 0), (100.0, 0.0)), ((1, 2), (20.0, 45.0))):
        batch = {"index": torch.tensor(places), "pairs": pairs, "image": images}
        metrics.update({"embedding": directions(*degrees)}, batch)
    return metrics


def test_the_metrics_of_six_pairs_by_hand() -> None:
    # apart by 20 (one identity), 45, 100, 25, 80 and 55 (one identity): of 8 comparisons, 55 loses to 45 and 25
    values = measured().compute()
    assert values["roc_auc"] == pytest.approx(6 / 8)
    assert values["tar_at_far_1pct"] == pytest.approx(0.5)
    cosines = np.cos(np.radians([20.0, 25.0]))
    assert values["threshold"] == pytest.approx(cosines.mean(), abs=1e-6)
    assert 0 <= values["accuracy"] <= 1


def test_the_curve_and_the_hardest_pairs_are_drawn(tmp_path: Path) -> None:
    metrics = measured()
    with pytest.raises(RuntimeError):
        metrics.pictures(tmp_path)
    metrics.compute()
    assert [path.name for path in metrics.pictures(tmp_path)] == ["roc.png", "pairs.png"]
    assert Image.open(tmp_path / "roc.png").size > (300, 150)


def test_the_threshold_of_validation_becomes_a_fact_of_the_problem() -> None:
    assert TASK.tags.has_threshold and TASK.tags.pairwise
    facts = TASK.answers.calibrate(PROBLEM, {"threshold": 0.75, "roc_auc": 0.9}).facts
    assert facts == {"identities": 3, "threshold": 0.75, "far": 0.01}
    assert TASK.answers.calibrate(PROBLEM, {}) == PROBLEM


def test_an_answer_is_shown_in_words_and_kept_as_an_array() -> None:
    answer = {"embedding": np.array([0.6, 0.8], np.float32)}
    shown = TASK.answers.show(Case(name="x", kind="file", inputs={}), answer, PROBLEM)
    assert shown.text == "2 numbers of length 1.0000: 0.6000 0.8000 …"
    assert np.array_equal(np.load(io.BytesIO(shown.files[".npy"])), answer["embedding"])


def test_two_answers_are_compared_by_the_threshold() -> None:
    answers = [{"embedding": row.numpy()} for row in directions(0, 30, 90)]
    problem = TASK.answers.calibrate(PROBLEM, {"threshold": 0.75})
    two = TASK.answers.compare(["a", "b"], answers[:2], problem)
    assert two.record["pairs"] == [{"a": "a", "b": "b", "similarity": pytest.approx(0.8660254), "same": True}]
    assert two.record["far"] == 0.01
    three = TASK.answers.compare(["a", "b", "c"], answers, PROBLEM, limit=1)
    pairs = three.record["pairs"]
    assert isinstance(pairs, list)
    assert [(one["a"], one["b"], one["same"]) for one in pairs if isinstance(one, dict)] == [
        ("a", "b", None),
        ("b", "a", None),
        ("c", "b", None),
    ]


def test_cases_know_the_identity_and_answers_are_of_unit_length() -> None:
    card = TASK.data.check(TASK.data.detect(DataRequest(source="digits")), progress=lambda *_: None)
    cases = list(TASK.answers.cases(card, PROBLEM, Purpose.EVALUATION, limit=40))
    assert {case.truth for case in cases} == {56, 57, 58}
    assert cases[0].origin.startswith("embedded turned-digits, test/")
    unlabelled = list(TASK.answers.cases(None, PROBLEM, Purpose.GOLDEN, limit=5))
    assert len(unlabelled) == 5
    made = TASK.graphs.postprocess(PROBLEM)(torch.tensor([[3.0, 4.0]]))
    assert torch.equal(made, torch.tensor([0.6, 0.8]))
    assert {control.name: control.applies for control in TASK.answers.controls(PROBLEM)}["classes"] is False


def test_the_comparison_of_both_sides_counts_verification() -> None:
    cases = [Case(name=str(n), kind="realistic", inputs={}, truth=n // 2) for n in range(4)]
    answers = [{"embedding": row.numpy()} for row in directions(0, 20, 45, 100)]
    found = TASK.answers.agreement(answers, answers, cases=cases, noise={"embedding": 1e-7})
    assert found.holds
    # the only pair above the threshold is that of 0 and 20 degrees; next come 20 and 45, of two identities
    threshold = (np.cos(np.deg2rad(20)) + np.cos(np.deg2rad(25))) / 2
    expected = {"roc_auc": 0.75, "accuracy": 0.5, "tar_at_far_1pct": 0.5, "threshold": threshold}
    assert TASK.answers.metrics(answers, cases, PROBLEM) == pytest.approx(expected)


def test_pairs_that_the_data_name_are_those_that_count() -> None:
    samples = tuple(Sample(f"{number}.png") for number in range(4))
    source = DataSource(request=DataRequest(source="faces"), format="pairs")
    card = DataCard(source=source, splits={"test": samples}, facts={"pairs": [[0, 1, 1], [2, 3, 0], [0, 2, 0]]})
    order = (2, 0, 3, 1)
    items = [Item(card=card, split="test", sample=samples[number]) for number in order]
    cases = [Case(name=str(n), kind="realistic", inputs={}, item=item) for n, item in enumerate(items)]
    angles = dict(zip(range(4), directions(0, 20, 45, 100), strict=True))
    answers = [{"embedding": angles[number].numpy()} for number in order]
    metrics = TASK.answers.metrics(answers, cases, PROBLEM)
    # the genuine pair is the most similar of the three: 20 degrees, against 55 and 45
    threshold = (np.cos(np.deg2rad(20)) + np.cos(np.deg2rad(45))) / 2
    assert metrics["roc_auc"] == 1.0
    assert metrics["threshold"] == pytest.approx(threshold)
    swapped = replace(card, splits={"test": samples, "validation": samples})
    other = [replace(case, item=replace(item, card=swapped)) for case, item in zip(cases, items, strict=True)]
    assert TASK.answers.metrics(answers, other, PROBLEM) == {}
