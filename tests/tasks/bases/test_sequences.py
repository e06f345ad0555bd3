"""Models of sequences agree by the likeliest next element, and are measured by how likely they take the true one."""

from __future__ import annotations

from itertools import pairwise
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from tests.builtin import builtin_task
from zoo import Case, Catalog, DataRequest, Problem, Purpose, TokenInput
from zoo.tasks.bases.sequences import SequenceAnswers, negative_log_likelihood, sequence_verdict

MODELS = {"text-generation": "gru_lm", "audio-generation": "wavenet_tiny"}
PROBLEM = Problem(task="text-generation", input=TokenInput(), vocabulary=("<pad>", "<unk>", "a", "bcd"))


def test_bits_are_those_of_the_softmax() -> None:
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]])) + 3
    assert negative_log_likelihood(logits, np.array([0, 1])).tolist() == pytest.approx([1.0, 3.0])


@pytest.mark.parametrize(
    ("row", "margin", "state"),
    [
        ([3.0, 1.0, 0.0], 0.1, "agreeing"),
        ([1.0, 3.0, 0.0], 0.1, "differing"),
        ([1.0, 3.0, 0.0], 2.5, "undecided"),
        ([0.0, 1.0, 3.0], 2.5, "differing"),
    ],
)
def test_the_likeliest_counts_where_there_is_one(row: list[float], margin: float, state: str) -> None:
    expected = np.array([[3.0, 1.0, 0.0]])
    assert sequence_verdict(expected, np.array([row]), margin=margin, element="token").state == state


def test_a_difference_says_where_it_begins() -> None:
    expected = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    verdict = sequence_verdict(expected, 1 - expected, margin=0.0, element="sample")
    assert (verdict.size, verdict.difference) == (3, "3 of 3 next samples differ, the first after 1")


def test_the_device_writes_with_the_settings() -> None:
    def generate(run: Any, inputs: Any, feedback: Any, problem: Any, settings: Any) -> Any:
        return {"kept": (run(inputs), feedback, problem["task"], settings)}

    class Written(SequenceAnswers):
        device = cast("ModuleType", SimpleNamespace(generate=generate))

    answer = Written().generate(lambda feeds: feeds, {"a": np.ones(1)}, {"s": "t"}, PROBLEM, {"seed": 4})
    assert answer["kept"] == ({"a": np.ones(1)}, {"s": "t"}, "text-generation", {"seed": 4})


def test_text_is_measured_in_the_names_of_training() -> None:
    answers = builtin_task("text-generation").answers
    logits = {"logits": np.zeros((1, 3, 4))}  # two bits a token
    known = Case(name="x", kind="realistic", inputs={}, truth=np.array([2, 3, 1]))
    metrics = answers.metrics([logits], [known], PROBLEM)
    assert metrics == {"bits_per_character": pytest.approx(6 / (1 + 3 + 1)), "perplexity": pytest.approx(4.0)}
    assert answers.metrics([logits], [Case(name="x", kind="realistic", inputs={})], PROBLEM) == {}


@pytest.mark.parametrize(
    ("task", "data", "port"), [("text-generation", "names", "tokens"), ("audio-generation", "tones", "samples")]
)
def test_the_items_of_a_sequence_follow_each_other_to_its_end(task: str, data: str, port: str) -> None:
    made = builtin_task(task)
    card = made.data.check(made.data.detect(DataRequest(source=data)), progress=lambda _done, _total: None)
    problem = made.problem(card, Catalog.discover().model(MODELS[task]).spec.input)
    cases = list(made.answers.cases(card, problem, Purpose.EVALUATION, limit=10_000))
    assert not cases[0].continues
    for before, after in pairwise(cases):
        if after.continues:
            assert before.truth[-1] == after.inputs[port][0, 0]
        assert len(after.truth) == after.inputs[port].shape[1]
    pieces = sum(not case.continues for case in cases)
    assert pieces == {"text-generation": 1, "audio-generation": len(card.splits["test"])}[task]
