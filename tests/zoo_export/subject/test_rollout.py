from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.builtin import builtin_task
from zoo.api.problem import Problem, TokenInput
from zoo.api.task import Case, Port, Signature
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.manifest import LineageRecord, PluginRecord
from zoo.data.text.controls import forget_state
from zoo.models.pipeline import StatePassthrough, TorchPipeline, without_state
from zoo_export.bundle.golden_files import MAX_NAME_LENGTH, golden_files, stem_of
from zoo_export.capture.onnx_graph import copy_of
from zoo_export.capture.torch_export import serialize
from zoo_export.proof.prove import Proof, prove
from zoo_export.subject.rollout import Rollout, rollouts, with_carried_state, with_initial_state
from zoo_export.subject.subject import Subject

TOKENS = Port(name="tokens", dtype="int64", shape=("batch", "length"))
STATE = Port(name="state", dtype="float32", shape=("batch", 1))
LOGITS = Port(name="logits", dtype="float32", shape=("batch", "length", 3))
AFTER = Port(name="state_out", dtype="float32", shape=("batch", 1), feeds="state")
SUMS = Signature(inputs=(TOKENS, STATE), outputs=(LOGITS, AFTER))


class Summing(nn.Module):
    """The sum of all tokens so far."""

    def forward(self, tokens: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        sums = state + tokens.cumsum(1)
        return sums[:, :, None].expand(-1, -1, 3), sums[:, -1:]


def case(name: str, *tokens: int) -> Case:
    return Case(name=name, kind="realistic", inputs={"tokens": np.array([tokens], np.int64)})


def step(feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    logits, state = Summing()(torch.from_numpy(feeds["tokens"]), torch.from_numpy(feeds["state"]))
    return {"logits": logits.numpy(), "state_out": state.numpy()}


def test_every_second_case_goes_on_from_the_one_before() -> None:
    cases = [case("a", 1, 2), case("b", 0), case("c", 0), case("d", 0)]
    pipeline = TorchPipeline(
        preprocess=StatePassthrough(nn.Identity(), own=1, state=1),
        model=Summing(),
        postprocess=StatePassthrough(nn.Identity(), own=1, state=1),
        signature=SUMS,
        model_signature=SUMS,
    )
    carried = with_carried_state(cases, pipeline)
    assert [float(case.inputs["state"][0, 0]) for case in carried] == [0, 3, 0, 0]
    plain = replace(pipeline, signature=without_state(SUMS), model_signature=without_state(SUMS))
    assert with_carried_state(cases, plain) == tuple(cases)


def test_a_sequence_begins_with_zeros_unless_it_says_otherwise() -> None:
    given = replace(case("a", 1), inputs={"tokens": np.zeros((2, 1), np.int64)})
    assert with_initial_state([given], SUMS)[0].inputs["state"].tolist() == [[0.0], [0.0]]
    own = replace(given, inputs={**given.inputs, "state": np.ones((2, 1), np.float32)})
    assert with_initial_state([own], SUMS)[0].inputs["state"].tolist() == [[1.0], [1.0]]


def rollout_and_split() -> tuple[Rollout, ...]:
    return rollouts(with_initial_state([case("short", 1, 2), case("long", *range(40))], SUMS), SUMS)


def test_a_roll_out_takes_32_steps_of_one_token_and_stacks_them() -> None:
    rollout, _ = rollout_and_split()
    assert (rollout.kind, rollout.steps) == ("rollout", 32)
    answers = rollout.run(step)
    assert answers["logits"].shape == (32, 1, 1, 3)
    assert answers["logits"][:, 0, 0, 0].tolist() == np.cumsum(range(32)).tolist()
    stored = rollout.stacked()
    assert stored["tokens"].shape == (32, 1, 1)
    assert stored["state"].tolist() == [[0.0]]


def test_a_split_sequence_is_put_together_again() -> None:
    _, split = rollout_and_split()
    assert (split.kind, split.steps) == ("split", 2)
    assert [piece["tokens"].shape for piece in split.pieces()] == [(1, 16), (1, 24)]
    answers, whole = split.run(step), step(split.case.inputs)
    assert all(np.array_equal(answers[name], whole[name]) for name in whole)


def test_without_a_sequence_that_is_long_enough_there_is_no_rollout() -> None:
    assert rollouts(with_initial_state([case("short", 1, 2)], SUMS), SUMS) == ()
    assert rollouts([case("long", *range(40))], without_state(SUMS)) == ()


# --- a whole proof ---


class TinyWriter(nn.Module):
    """A language model with one gated layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(9, 4)
        self.layer = nn.GRU(4, 6, batch_first=True)
        self.head = nn.Linear(6, 9)

    @property
    def signature(self) -> Signature:
        logits = replace(LOGITS, shape=("batch", "length", 9))
        state = replace(STATE, shape=("batch", 6))
        return Signature(inputs=(TOKENS, state), outputs=(logits, replace(AFTER, shape=("batch", 6))))

    def forward(self, tokens: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        read, after = self.layer(self.embedding(tokens), state[None].contiguous())
        return self.head(read), after[0]


@pytest.fixture(scope="module")
def subject() -> Subject:
    torch.manual_seed(0)
    return Subject(
        model="tests/tiny_writer",
        module=TinyWriter().eval(),
        task=builtin_task("text-generation"),
        problem=Problem(task="text-generation", input=TokenInput(), vocabulary=("<pad>", "<unk>", "\n", *"aeinrs")),
        plugin=PluginRecord(name="tests", distribution="edgezoo", version="0"),
        lineage=LineageRecord(weights="seeded", weights_sha256="0" * 64, target=""),
        trained=False,
    )


@pytest.fixture(scope="module")
def proof(subject: Subject) -> Proof:
    return prove(subject, opset=18, evaluate=0)


@pytest.mark.slow
def test_a_stateful_model_is_proved_step_by_step_and_cut_in_two(proof: Proof) -> None:
    assert proof.verdict.status in (Status.PASS, Status.WARN)
    for graph in proof.evidence.graphs:
        assert graph.stateful
        kinds = {one.kind: one.steps for one in graph.cases}
        assert (kinds["rollout"], kinds["split"]) == (32, 2)
    controls = {one.name: one for one in proof.evidence.mutants}
    assert controls["state"].killed_by
    assert controls["vocabulary"].killed_by
    assert not controls["resize"].applied
    golden = [file.record for file in golden_files(proof)]
    assert len(golden) <= 5
    rolled = next(record for record in golden if record.steps == 32)
    assert rolled.feedback == {"state": "state_out"}
    assert [output.name for output in rolled.outputs] == ["logits"]


@pytest.mark.slow
def test_a_file_that_forgets_its_state_is_refused_by_every_rollout(subject: Subject, proof: Proof) -> None:
    mutants = {file.name: serialize(forget_state(copy_of(file.model), 0)) for file in proof.exported.graphs}
    refused = prove(subject, opset=18, evaluate=0, files=mutants)
    assert refused.verdict.status == Status.FAIL
    graph = refused.evidence.graph("model.onnx")
    assert graph is not None
    outputs = [(one.kind, output.onnx) for one in graph.cases for output in one.outputs]
    wrong = {kind for kind, error in outputs if error is not None and (error.max or 0.0) > 1e-3}
    assert {"rollout", "split"} <= wrong


def test_a_case_that_is_called_by_a_whole_text_has_a_file_of_a_short_name() -> None:
    assert stem_of("split at 3, of 5") == "split-at-3-of-5"
    text = "犬が走る " * 200
    assert len(stem_of(text)) == MAX_NAME_LENGTH + 9
    assert stem_of(text).startswith("犬が走る-犬が走る-")
    assert stem_of(text) != stem_of(text + "!")
