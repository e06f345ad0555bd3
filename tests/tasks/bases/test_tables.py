"""Tables of numbers: normalised by the training rows, answered in their own units, measured as training measures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zoo import (
    Case,
    DataCard,
    DataRequest,
    Problem,
    Purpose,
    Row,
    Split,
    TableAnswers,
    TableData,
    TableGraphs,
    TableInput,
    TableTensors,
    UsageError,
)


class Small(TableData):
    """`small`: y = 2 a + 1, b is always 5."""

    embedded = "small"

    def names(self) -> tuple[list[str], list[str]]:
        """Two columns, one target."""
        return ["a", "b"], ["target"]

    def rows(self, split: Split) -> list[Row]:
        """Four for training, three for the rest."""
        count = 4 if split == "train" else 3
        return [Row(f"{split}/{n}", (float(n), 5.0), (2.0 * n + 1,)) for n in range(count)]


class SmallAnswers(TableAnswers):
    """Numbers."""

    data = Small


def card(source: str = "small") -> DataCard:
    return Small().check(Small().detect(DataRequest(source=source)), progress=lambda _done, _total: None)


PROBLEM = Small().problem("small", card(), TableInput())
STD = float(np.std([0, 1, 2, 3]))


def case(truth: Any = None) -> Case:
    return Case(name="x", kind="realistic", inputs={}, truth=None if truth is None else np.array([truth]))


def answer(value: float) -> dict[str, Any]:
    return {"values": np.array([[value]], np.float32)}


def test_the_problem_knows_names_and_moments_of_train() -> None:
    facts: Any = PROBLEM.facts
    assert (facts["columns"], facts["targets"], facts["num_targets"]) == (["a", "b"], ["target"], 1)
    assert (facts["feature_mean"], facts["feature_std"]) == ([1.5, 5.0], [pytest.approx(STD), 1.0])
    assert (facts["target_mean"], facts["target_std"]) == ([4.0], [pytest.approx(2 * STD)])
    assert isinstance(PROBLEM.input, TableInput)
    assert PROBLEM.input.features == 2
    with pytest.raises(UsageError, match="the model takes 3 numbers, small has 2"):
        Small().problem("small", card(), TableInput(features=3))


def test_a_batch_is_ready_with_mean_0_and_deviation_1() -> None:
    data = TableTensors().dataset(card(), "train", PROBLEM)
    batch = data.ready(data.batch([0, 1, 2, 3]))
    for name in ("input", "target"):
        assert batch[name][:, 0].mean().item() == pytest.approx(0, abs=1e-6)
        assert batch[name][:, 0].std(correction=0).item() == pytest.approx(1)
    assert batch["input"][:, 1].tolist() == [0.0] * 4, "a column that is the same everywhere"
    assert (batch["targets"].tolist(), batch["index"].tolist()) == ([[1], [3], [5], [7]], [0, 1, 2, 3])


def test_the_graphs_undo_each_other() -> None:
    graphs = TableGraphs()
    signatures = graphs.signatures(PROBLEM)
    assert signatures.model is not None
    assert [port.shape for port in (*signatures.pipeline.inputs, *signatures.pipeline.outputs)] == [
        ("batch", 2),
        ("batch", 1),
    ]
    ready = graphs.preprocess(PROBLEM)(torch.tensor([[0.0, 5.0], [3.0, 5.0]]))
    assert ready[:, 0].tolist() == pytest.approx([-1.5 / STD, 1.5 / STD])
    assert graphs.postprocess(PROBLEM)(ready[:, :1]).flatten().tolist() == pytest.approx([1.0, 7.0])


def test_answers_are_measured_as_training_measures_them() -> None:
    answers, cases = [answer(1), answer(4), answer(5)], [case(1.0), case(3.0), case(5.0)]
    # squares of errors 0 + 1 + 0, of truths around their mean 4 + 0 + 4
    expected = {"r2": 1 - 1 / 8, "mae": pytest.approx(1 / 3)}
    assert SmallAnswers().metrics(answers, cases, PROBLEM) == expected
    metrics = TableTensors().metrics(PROBLEM)
    normalised = (torch.tensor([[1.0], [4.0], [5.0]]) - 4) / (2 * STD)
    metrics.update({"output": normalised}, {"targets": torch.tensor([[1.0], [3.0], [5.0]])})
    assert metrics.compute() == pytest.approx({"r2": 7 / 8, "mae": 1 / 3})
    assert SmallAnswers().metrics(answers[:1], cases[:1], PROBLEM) == {}
    assert SmallAnswers().metrics(answers, [case()] * 3, PROBLEM) == {}


def test_numbers_agree_within_ten_times_the_noise() -> None:
    for other, holds in ((1.009, True), (1.011, False)):
        found = SmallAnswers().agreement([answer(1)], [answer(other)], cases=[case()], noise={"values": 1e-3})
        assert found.holds is holds


@pytest.mark.parametrize("purpose", list(Purpose))
def test_cases_fit_the_graphs_and_repeat(purpose: Purpose) -> None:
    cases, again = (list(SmallAnswers().cases(card(), PROBLEM, purpose, limit=9)) for _ in range(2))
    name, shape = ("input", 2) if purpose is Purpose.MODEL else ("features", 2)
    for one, other in zip(cases, again, strict=True):
        assert (list(one.inputs), one.inputs[name].shape[1], one.inputs[name].dtype) == ([name], shape, np.float32)
        assert np.array_equal(one.inputs[name], other.inputs[name])
    if purpose is Purpose.EVALUATION:
        assert sorted(float(one.truth[0]) for one in cases) == [1.0, 3.0, 5.0]
        assert list(SmallAnswers().cases(None, PROBLEM, purpose, limit=9)) != [], "the embedded rows"


def test_a_file_answers_in_rows_and_numbers_have_names(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("b,a\n5,1\n5,2\n")
    items = Small().read(path, PROBLEM)
    assert [(item.name, item.inputs["features"].tolist()) for item in items] == [
        ("row 1", [[1.0, 5.0]]),
        ("row 2", [[2.0, 5.0]]),
    ]
    shown = SmallAnswers().show(case(3.0), answer(2.5), PROBLEM)
    assert (shown.text, shown.record) == ("target: 2.5", {"values": {"target": 2.5}, "truth": [3.0]})


def test_only_what_rows_have_is_mutated() -> None:
    absent = {control.name for control in SmallAnswers().controls(PROBLEM) if not control.applies}
    assert absent == {"classes", "channels", "resize"}
    assert isinstance(PROBLEM, Problem)


def test_the_chart_of_answers_is_drawn(tmp_path: Path) -> None:
    metrics = TableTensors().metrics(PROBLEM)
    assert metrics.pictures(tmp_path) == []
    metrics.update({"output": torch.zeros(3, 1)}, {"targets": torch.tensor([[1.0], [3.0], [5.0]])})
    assert [path.name for path in metrics.pictures(tmp_path)] == ["answers.png"]
