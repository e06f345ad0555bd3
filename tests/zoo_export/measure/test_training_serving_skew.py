"""A dataset that feeds the model otherwise than the pipeline does: training and device disagree, no graph shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.builtin import builtin_task
from tests.bundle.judge.test_verdict import not_passed
from tests.healthy import healthy_evidence
from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.parts import Task
from zoo.api.problem import ImageInput, Problem
from zoo.api.task import Batch, Case, Dataset, Purpose
from zoo.bundle.judge.evidence import Prepared
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.manifest import LineageRecord, PluginRecord
from zoo.data.formats.embedded import DIGITS, digits_card
from zoo.tasks.image_classification.tensors import ClassificationTensors
from zoo_export.measure.training_serving_skew import measure_skew
from zoo_export.proof.prove import prove
from zoo_export.subject.subject import Subject

IMAGE = ImageInput(size=(12, 12), channels=3, mean=(0.2,), std=(0.3,))
PROBLEM = Problem(task="image-classification", input=IMAGE, classes=tuple("0123456789"))
Ready = Callable[[Batch], Batch]


class Changed(ClassificationTensors):
    """Datasets that change what is ready for the model."""

    def __init__(self, change: Ready) -> None:
        self.change = change

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        dataset = super().dataset(card, split, problem)
        plain = dataset.ready
        dataset.ready = lambda batch: self.change(plain(batch))  # type: ignore[method-assign]
        return dataset


def with_dataset(change: Ready) -> Task:
    """Image classification whose dataset changes what is ready for the model."""
    return replace(builtin_task("image-classification"), make_tensors=lambda: Changed(change))


def on_input(change: Callable[[torch.Tensor], torch.Tensor]) -> Ready:
    return lambda batch: {**batch, "input": change(batch["input"])}


def subject_of(task: Task) -> Subject:
    torch.manual_seed(0)
    return Subject(
        model="test/linear",
        module=nn.Sequential(nn.Flatten(), nn.Linear(432, 10)).eval(),
        task=task,
        problem=PROBLEM,
        plugin=PluginRecord(name="test", distribution="zoo-test", version="1.0"),
        lineage=LineageRecord(weights="drawn for a test", weights_sha256="0" * 64, target=""),
        trained=True,
        card=digits_card(DataSource(request=DataRequest(source=DIGITS), format=DIGITS)),
    )


def measured(task: Task) -> tuple[Prepared, ...]:
    subject = subject_of(task)
    items: list[Case] = list(task.answers.cases(subject.card, PROBLEM, Purpose.EVALUATION, limit=5))
    return measure_skew(subject, items, subject.torch_pipeline(), noise={"probabilities": 1e-7})


def test_both_roads_of_zoo_s_own_task_end_in_the_same_picture() -> None:
    found = measured(builtin_task("image-classification"))
    assert [(one.elements, one.differing, one.far, one.same_answer) for one in found] == [(432, 0, 0, True)] * 3
    assert len({one.name for one in found}) == 3


LEVEL = 1 / 255 / 0.3
HALF = np.arange(432).reshape(1, 3, 12, 12) % 2


@pytest.mark.parametrize(
    ("change", "differing", "far"),
    [
        (on_input(lambda image: (image * 0.3 + 0.2 - 0.5) / 0.5), None, True),  # another mean and std
        (on_input(lambda image: image.flip(1) + 2 * LEVEL), 432, True),
        (on_input(lambda image: image + LEVEL * torch.from_numpy(HALF).float()), 216, False),
        (on_input(lambda image: image[..., :11]), 432, True),  # another size
    ],
)
def test_what_the_dataset_does_otherwise_is_counted_in_levels(change: Ready, differing: int | None, far: bool) -> None:
    found = measured(with_dataset(change))[0]
    assert (found.far > 0) == far
    assert differing is None or found.differing == differing


def test_items_that_the_data_do_not_hold_are_not_compared() -> None:
    task = builtin_task("image-classification")
    subject = subject_of(task)
    items = [replace(one, item=None) for one in task.answers.cases(subject.card, PROBLEM, Purpose.EVALUATION, limit=2)]
    assert measure_skew(subject, items, subject.torch_pipeline(), noise={}) == ()


@pytest.mark.slow
def test_a_dataset_that_normalises_otherwise_fails_the_proof_that_nothing_else_fails() -> None:
    changed = with_dataset(on_input(lambda image: (image * 0.3 + 0.2 - 0.5) / 0.5))
    sound = prove(subject_of(builtin_task("image-classification")), opset=18, evaluate=20)
    found = prove(subject_of(changed), opset=18, evaluate=20)
    failed = {gate.name: gate.detail for gate in found.verdict.gates if gate.status == Status.FAIL}
    assert sound.verdict.publishes
    assert set(failed) == {"pipeline"}
    assert "as the dataset gives it to the model in training" in failed["pipeline"]


ITEM = Prepared(against="the dataset", name="seven", elements=100, differing=0, far=0)


@pytest.mark.parametrize(
    ("item", "status"),
    [
        (ITEM, {}),
        (replace(ITEM, differing=100), {}),
        (replace(ITEM, differing=1, same_answer=False), {"pipeline": Status.FAIL}),
        (replace(ITEM, far=1), {"pipeline": Status.FAIL}),
        (replace(ITEM, elements=0), {"pipeline": Status.FAIL}),
    ],
)
def test_one_level_is_allowed_and_another_answer_is_not(item: Prepared, status: dict[str, Any]) -> None:
    assert not_passed(replace(healthy_evidence(), skew=(item,))) == status
