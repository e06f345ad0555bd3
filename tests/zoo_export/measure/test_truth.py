"""What an author writes between raw head and answer is wrong in PyTorch as well: only the data can tell."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor, nn

from tests.builtin import builtin_task
from zoo import Catalog
from zoo.api.data import DataCard, DataRequest, DataSource
from zoo.api.parts import Task
from zoo.api.task import Case, Item
from zoo.bundle.judge.evidence import Truth
from zoo.bundle.judge.parity_rule import Status
from zoo.models.target import ModelTarget
from zoo.tasks.image_classification.tensors import ClassificationGraphs
from zoo_export.measure.truth import measure_truth
from zoo_export.proof.prove import Proof, prove
from zoo_export.subject.load import find_subject
from zoo_export.subject.subject import Subject

SOURCE = Path(__file__).parents[3] / "examples" / "zoo_table_regression" / "src"
ITEMS = 60


@pytest.fixture
def regression(monkeypatch: pytest.MonkeyPatch) -> Iterator[Subject]:
    """The example's model with drawn weights, as if it were trained, with its data."""
    monkeypatch.syspath_prepend(str(SOURCE))
    from zoo_table_regression import plugin

    plugin.name = "table"  # type: ignore[attr-defined]
    catalog = Catalog.discover([plugin])
    yield trained(catalog, "table_mlp", data="friedman")
    for name in [name for name in sys.modules if name.partition(".")[0] == "zoo_table_regression"]:
        del sys.modules[name]


def trained(catalog: Catalog, model: str, *, data: str) -> Subject:
    subject = find_subject(ModelTarget(model=catalog.model(model)), catalog, untrained=True)
    task = subject.task
    card = task.data.check(task.data.detect(DataRequest(source=data)), progress=lambda _done, _total: None)
    return replace(subject, card=card, evaluation=card, trained=True)


def truth_gate(proof: Proof) -> tuple[Status, str]:
    gate = next(gate for gate in proof.verdict.gates if gate.name == "truth")
    return gate.status, gate.detail


def failing(proof: Proof) -> set[str]:
    return {gate.name for gate in proof.verdict.gates if gate.status == Status.FAIL}


class WrongUnit(nn.Module):
    """Forgets to multiply by std and to add the mean."""

    def forward(self, output: Tensor) -> Tensor:
        return output.clone()


def with_postprocess(task: Task, module: nn.Module) -> Task:
    """The task whose author wrote another postprocess."""

    class Graphs(type(task.graphs)):  # type: ignore[misc]
        def postprocess(self, problem: Any) -> nn.Module:  # noqa: ARG002
            return module

    return replace(task, make_graphs=Graphs)


def test_a_regression_in_the_right_unit_passes(regression: Subject) -> None:
    status, detail = truth_gate(prove(regression, opset=18, evaluate=ITEMS))
    assert status == Status.PASS
    assert detail.endswith(f"on {ITEMS} items, as the run itself has it")


def test_a_regression_that_forgets_its_unit_fails_by_the_truth_alone(regression: Subject) -> None:
    wrong = replace(regression, task=with_postprocess(regression.task, WrongUnit()))
    proof = prove(wrong, opset=18, evaluate=ITEMS)
    _, detail = truth_gate(proof)
    assert failing(proof) == {"truth"}
    assert "mae of the answers is" in detail
    assert "what turns the raw head into the answer is wrong" in detail


class Turned(nn.Module):
    """Probabilities in the opposite order of the classes."""

    def forward(self, logits: Tensor) -> Tensor:
        return logits.flip(1).softmax(1)[0]


def test_classes_in_another_order_fail_by_the_truth() -> None:
    subject = trained(Catalog.discover(), "cnn", data="digits")
    assert isinstance(subject.task.graphs, ClassificationGraphs)
    wrong = replace(subject, task=with_postprocess(subject.task, Turned()))
    assert failing(prove(wrong, opset=18, evaluate=ITEMS)) == {"truth"}


# --- a task of API 1, whose answers have no metrics of their own ---


class Unmeasured:
    """Answers without metrics, as the adapter of API 1 gives them."""

    def metrics(self, answers: object, cases: object, problem: object) -> Mapping[str, float]:  # noqa: ARG002
        return {}


CARD = DataCard(
    source=DataSource(request=DataRequest(source="rows"), format="rows"),
    splits={"test": tuple(range(40))},
    facts={},
    classes=(),
    fingerprint="",
)


def measured(answers: list[Any], truths: list[Any], own: Mapping[str, float], **changes: Any) -> Truth:
    """The truth of some answers under one output, of which the run itself says `own`."""
    subject = trained_stub(own)
    subject = replace(subject, **changes)
    cases = [
        Case(name=f"{n}", kind="realistic", inputs={}, truth=truth, item=Item(card=CARD, split="test", sample=n))
        for n, truth in enumerate(truths)
    ]
    outputs = [{"answer": np.asarray(answer)} for answer in answers]
    return measure_truth(subject, cases, outputs, agreement=None, skew=(), raw_head=False)


def trained_stub(own: Mapping[str, float]) -> Subject:
    from tests.zoo_export.conftest import subject_of, tiny

    subject = subject_of(tiny())
    task = replace(builtin_task("image-classification"), make_answers=Unmeasured)  # type: ignore[arg-type]
    return replace(subject, task=task, trained=True, own_metrics=lambda _card, _split: own)


TRUE = np.linspace(20.0, 40.0, 40)


def test_zoo_measures_numbers_itself_by_the_names_that_the_run_has() -> None:
    answers = [np.array([value + 0.5], np.float32) for value in TRUE]
    truth = measured(answers, list(TRUE), {"mae": 0.5, "RMSE": 0.5, "pinball": 3.0})
    assert truth.answers == pytest.approx({"mae": 0.5, "RMSE": 0.5})
    assert truth.stand_ins == ("mae", "RMSE")


@pytest.mark.parametrize("name", ["mae", "rmse", "r2", "mse"])
def test_numbers_in_another_unit_are_measured_to_be_wrong(name: str) -> None:
    right = measured([np.array([value]) for value in TRUE], list(TRUE), {name: 0.0})
    wrong = measured([np.array([(value - 30) / 6]) for value in TRUE], list(TRUE), {name: 0.0})
    assert right.answers[name] == (1.0 if name == "r2" else 0.0)
    assert wrong.answers[name] < -1 if name == "r2" else wrong.answers[name] > 20


def test_zoo_counts_classes_itself_given_by_index_or_by_name() -> None:
    scores = np.eye(4, dtype=np.float32)
    by_index = measured([scores[n % 4] for n in range(40)], [n % 4 for n in range(40)], {"accuracy": 1.0})
    by_name = measured([scores[n % 4] for n in range(40)], ["bee"] * 40, {"accuracy": 0.25})
    assert by_index.answers["accuracy"] == 1.0
    assert by_name.answers["accuracy"] == 0.25


def test_a_forgotten_threshold_is_another_share_of_right_answers() -> None:
    """The run says yes above 0.3; the answers of the pipeline say it above 0.5."""
    chance = np.linspace(0, 1, 40)
    truths = [int(value > 0.3) for value in chance]
    right = measured([np.array([int(value > 0.3)]) for value in chance], truths, {"accuracy": 1.0})
    wrong = measured([np.array([int(value > 0.5)]) for value in chance], truths, {"accuracy": 1.0})
    assert (right.answers["accuracy"], wrong.answers["accuracy"]) == (1.0, 0.8)


def test_items_that_do_not_say_where_they_are_must_be_the_whole_split() -> None:
    answers = [{"answer": np.array([value])} for value in TRUE]
    cases = [Case(name=f"{n}", kind="realistic", inputs={}, truth=value) for n, value in enumerate(TRUE)]
    subject = replace(trained_stub({"mae": 0.0}), evaluation=CARD)
    whole = measure_truth(subject, cases, answers, agreement=None, skew=(), raw_head=False)
    part = measure_truth(subject, cases[1:], answers[1:], agreement=None, skew=(), raw_head=False)
    assert (whole.answers, whole.items, whole.reason) == ({"mae": 0.0}, 40, "")
    assert (part.needed, part.answers) == (True, {})


def test_an_answer_that_is_the_raw_head_needs_no_truth() -> None:
    cases = [Case(name="1", kind="realistic", inputs={}, truth=1.0)]
    truth = measure_truth(trained_stub({}), cases, [{}], agreement=None, skew=(), raw_head=True)
    assert not truth.needed
    assert truth.reason.startswith("the answer is the raw head itself")


def test_where_no_name_is_known_nothing_is_compared() -> None:
    truth = measured([np.array([value]) for value in TRUE], list(TRUE), {"pinball": 3.0})
    assert truth.needed
    assert "under the same name" in truth.reason


def test_a_dataset_that_cannot_give_the_items_is_a_reason_and_no_crash() -> None:
    def broken(_card: DataCard, _split: object) -> Mapping[str, float]:
        raise KeyError("pairs")

    truth = measured([np.array([value]) for value in TRUE], list(TRUE), {}, own_metrics=broken)
    assert truth.needed
    assert "KeyError" in truth.reason


def test_random_weights_need_no_truth(proof: Proof) -> None:
    status, detail = truth_gate(proof)
    assert status == Status.PASS
    assert detail.startswith("random weights have learnt nothing")
