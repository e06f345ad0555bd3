from __future__ import annotations

import pytest
import torch

from tests.builtin import builtin_task
from zoo.api.problem import AudioInput, Problem
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.manifest import LineageRecord, PluginRecord
from zoo.tasks.audio_generation.controls import forget_condition
from zoo_export.bundle.golden_files import golden_files
from zoo_export.capture.onnx_graph import copy_of
from zoo_export.capture.torch_export import serialize
from zoo_export.proof.prove import Proof, prove
from zoo_export.subject.subject import Subject
from zoo_wavenet.model import ConditionedWaveNet, Size

pytestmark = pytest.mark.ci


@pytest.fixture(scope="module")
def subject() -> Subject:
    torch.manual_seed(0)
    return Subject(
        model="tests/tiny_wavenet",
        module=ConditionedWaveNet(size=Size(residual=4, skip=6, stacks=1, doublings=3), num_classes=2).eval(),
        task=builtin_task("audio-generation"),
        problem=Problem(task="audio-generation", input=AudioInput(sample_rate=8000), classes=("high", "low")),
        plugin=PluginRecord(name="tests", distribution="edgezoo", version="0"),
        lineage=LineageRecord(weights="seeded", weights_sha256="0" * 64, target=""),
        trained=False,
    )


@pytest.fixture(scope="module")
def proof(subject: Subject) -> Proof:
    return prove(subject, opset=18, evaluate=0)


def test_it_is_proved_step_by_step_and_in_two_pieces_and_every_mutant_is_caught(proof: Proof) -> None:
    assert proof.verdict.status in (Status.PASS, Status.WARN)
    for graph in proof.evidence.graphs:
        kinds = {one.kind: one.steps for one in graph.cases}
        assert (kinds["rollout"], kinds["split"]) == (32, 2)
    caught = {one.name for one in proof.evidence.mutants if one.applied and one.killed_by}
    assert caught == {"weight", "scale", "bias", "batch", "training", "codes", "state", "condition"}
    rolled = next(file.record for file in golden_files(proof) if file.record.steps == 32)
    assert rolled.feedback == {"queues": "queues_out"}


def test_a_file_that_forgets_the_class_is_refused(subject: Subject, proof: Proof) -> None:
    mutants = {file.name: serialize(forget_condition(copy_of(file.model), 0)) for file in proof.exported.graphs}
    assert prove(subject, opset=18, evaluate=0, files=mutants).verdict.status == Status.FAIL
