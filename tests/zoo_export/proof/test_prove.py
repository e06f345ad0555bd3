"""The whole way on a tiny classifier: it is proved, its mutants are not, and neither are vacuous models."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from tests.zoo_export.conftest import subject_of
from zoo.api.errors import PluginError
from zoo.api.task import Signature
from zoo.bundle.judge.evidence import BOUNDARY, RANGE, VALUES, Evidence
from zoo.bundle.judge.parity_rule import K, Status, judge_output
from zoo.bundle.sandbox.runtime import Runtime
from zoo_export.capture import kept_captures
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.capture.onnx_graph import copy_of
from zoo_export.capture.stored_model import StoredModel
from zoo_export.capture.torch_export import Graph, serialize
from zoo_export.measure import graph_run
from zoo_export.proof.prove import Proof, prove
from zoo_export.subject import large_outputs
from zoo_export.subject.boundary import FACTORS
from zoo_export.subject.ranges import GREYS
from zoo_export.subject.values import CHANGES


def statuses(proof: Proof) -> dict[str, Status]:
    return {gate.name: gate.status for gate in proof.verdict.gates}


BATCHES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 17, 20, 24, 31, 32, 33, 48, 63, 64, 65, 100)


def test_a_healthy_model_passes_every_gate(proof: Proof) -> None:
    assert proof.verdict.publishes, proof.verdict.sentence
    assert set(statuses(proof).values()) <= {Status.PASS, Status.WARN}
    evidence = proof.evidence
    assert [graph.name for graph in evidence.graphs] == [MODEL, PIPELINE]
    assert {axis.name: axis.tested for axis in evidence.graphs[0].axes.tested} == {"batch": BATCHES}  # type: ignore[union-attr]
    names = {control.name for control in evidence.mutants}
    assert names == {
        "weight",
        "scale",
        "bias",
        "classes",
        "normalisation",
        "channels",
        "resize",
        "batch",
        "training",
        "postprocess: no softmax",
        "postprocess: temperature",
        "postprocess: unit",
        "postprocess: zero",
    }
    boundary = [case.name for case in evidence.graphs[1].cases if case.kind == BOUNDARY]
    assert boundary == [*(f"random outputs x {factor:g}" for factor in FACTORS), "one element alone"]
    assert [case.name for case in evidence.graphs[0].cases if case.kind == VALUES] == [*GREYS, *CHANGES]
    assert all(control.killed_by for control in evidence.mutants)


def test_the_composed_pipeline_is_preparing_model_and_finishing_in_eager_pytorch(
    proof: Proof, runtime: Runtime
) -> None:
    subject = proof.subject
    session = runtime.session(proof.exported.files[PIPELINE])
    assert [(port.name, port.shape) for port in session.inputs] == [("image", ("height", "width", 3))]
    pipeline = subject.torch_pipeline()
    for height, width in ((12, 12), (31, 57), (80, 9)):
        image = np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)
        expected = pipeline({"image": image})["probabilities"]
        given = runtime.run(session, {"image": image})["probabilities"]
        np.testing.assert_allclose(given, expected, atol=2e-3 if (height, width) != (12, 12) else 1e-6)


def test_the_pipeline_keeps_the_model_s_tensors_under_their_names(proof: Proof) -> None:
    inner = {tensor.name for tensor in proof.exported.file(MODEL).model.graph.initializer}
    outer = {tensor.name for tensor in proof.exported.file(PIPELINE).model.graph.initializer}
    assert inner <= outer
    assert all(name.startswith("ends/") for name in outer - inner)


def test_both_files_carry_the_facts(proof: Proof, runtime: Runtime) -> None:
    for name, role in ((MODEL, "model"), (PIPELINE, "pipeline")):
        facts = runtime.session(proof.exported.files[name]).metadata
        assert facts["zoo.role"] == role
        assert facts["zoo.classes"] == '["ant", "bee", "cat", "dog"]'
        assert facts["zoo.weights_sha256"] == proof.subject.lineage.weights_sha256


def test_of_a_range_plain_fp32_decides_where_the_file_is_near_enough(proof: Proof) -> None:
    cases = [case for graph in proof.evidence.graphs for case in graph.cases if case.kind != BOUNDARY]
    ranges = [output for case in cases if case.kind in (RANGE, VALUES) for output in case.outputs]
    usual = [output for case in cases if case.kind not in (RANGE, VALUES) for output in case.outputs]
    assert not all(output.noise_measured for output in ranges)
    assert all(output.noise_measured for output in usual)


@pytest.mark.slow
def test_of_a_range_double_precision_decides_elsewhere(proof: Proof, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_run, "NEAR", -1.0)
    again = prove(proof.subject, opset=18)
    cases = [case for graph in again.evidence.graphs for case in graph.cases]
    assert all(output.noise_measured for case in cases for output in case.outputs)
    assert again.verdict.publishes, again.verdict.sentence


def _mutated(proof: Proof) -> dict[str, bytes]:
    """Both files with one weight of the head changed by one per cent."""
    files = {}
    for file in proof.exported.graphs:
        name, copy = file.name, copy_of(file.model)
        tensor = next(one for one in copy.graph.initializer if one.name == "head.weight")
        values = numpy_helper.to_array(tensor).copy()
        values[1, 2] *= np.float32(1.01)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
        files[name] = serialize(copy)
    return files


@pytest.mark.slow
def test_files_that_are_not_those_of_the_model_are_rejected(proof: Proof) -> None:
    again = prove(proof.subject, opset=18, files=_mutated(proof))
    failed = {name for name, status in statuses(again).items() if status == Status.FAIL}
    assert {"parity", "lineage"} <= failed
    assert not again.verdict.publishes


@pytest.mark.slow
def test_a_wrong_graph_that_was_kept_makes_no_wrong_file_right(proof: Proof, monkeypatch: pytest.MonkeyPatch) -> None:
    files, fresh = _mutated(proof), proof.exported.graph
    read: list[Signature] = []

    def kept(_: object, signature: Signature, __: object) -> Graph | None:
        read.append(signature)
        model = onnx.load_from_string(files[MODEL])
        del model.metadata_props[:]  # a capture has none yet
        return (
            replace(fresh, plain=StoredModel.of(model), shipped=StoredModel.of(model))
            if signature == fresh.signature
            else None
        )

    monkeypatch.setattr(kept_captures, "read_capture", kept)
    for measured in (files, None):
        again = prove(proof.subject, opset=18, files=measured)
        assert statuses(again)["parity"] == Status.FAIL
        assert statuses(again)["lineage"] == Status.FAIL
    assert fresh.signature in read


class Caching(nn.Module):
    """Keeps a table of the largest batch that it has seen."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3 * 12 * 12, 4)
        self.table: Tensor | None = None

    def forward(self, image: Tensor) -> Tensor:
        if self.table is None or len(self.table) < len(image) or self.table.dtype != image.dtype:
            self.table = torch.ones(len(image), 4, dtype=image.dtype)
        logits: Tensor = self.head(image.flatten(1)) + self.table[: len(image)]
        return logits


def test_what_a_call_leaves_in_a_module_is_not_captured() -> None:
    torch.manual_seed(0)
    found = prove(subject_of(Caching().eval()), opset=18)
    assert found.verdict.publishes, found.verdict.sentence


class Refusing(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = image.reshape(7, 5)
        return logits


def test_a_model_that_does_not_run_is_told_with_its_line() -> None:
    with pytest.raises(PluginError) as caught:
        prove(subject_of(Refusing().eval()), opset=18)
    assert "does not run on an input of its task: RuntimeError: shape '[7, 5]'" in caught.value.message
    assert "test_prove.py" in caught.value.message
    assert "`logits: Tensor = image.reshape(7, 5)`" in caught.value.message
    assert "ModelSpec.adapter" in caught.value.hint


class Dead(nn.Module):
    """A head of zeros: every copy of it agrees."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3 * 12 * 12, 4)
        nn.init.zeros_(self.head.weight)

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.head(image.flatten(1))
        return logits


class Sampling(nn.Module):
    """Answers at random, and is as far from double precision as from itself."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3 * 12 * 12, 4)

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.head(image.flatten(1))
        return logits + torch.randn_like(logits)


@pytest.mark.slow
@pytest.mark.parametrize(("module", "gate"), [(Dead(), "liveness"), (Sampling(), "determinism")])
def test_what_any_comparison_would_pass_is_not_proved(module: nn.Module, gate: str) -> None:
    found = prove(subject_of(module.eval()), opset=18)
    outputs = [output for case in found.evidence.graphs[0].cases if case.gates for output in case.outputs]
    ratios = sorted(judge_output(output).ratio or 0.0 for output in outputs)
    assert ratios[len(ratios) // 2] <= K  # the naive check: usually the file is no further off than PyTorch itself
    assert statuses(found)[gate] == Status.FAIL
    assert not found.verdict.publishes


@pytest.mark.slow
def test_a_graph_that_the_runtime_refuses_is_a_reported_failure(proof: Proof) -> None:
    broken = copy_of(proof.exported.file(MODEL).model)
    broken.graph.node[0].op_type = "NoSuchOperator"
    files = {MODEL: broken.SerializeToString(), PIPELINE: proof.exported.files[PIPELINE]}
    found = prove(proof.subject, opset=18, files=files)
    assert statuses(found)["parity"] == Status.FAIL
    assert "NoSuchOperator" in next(gate.detail for gate in found.verdict.gates if gate.name == "parity")


@pytest.mark.slow
def test_outputs_that_lie_in_files_give_the_same_evidence(proof: Proof, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Mock(wraps=np.fromfile)
    monkeypatch.setattr(large_outputs, "LARGE", 0)
    monkeypatch.setattr(np, "fromfile", read)
    files = proof.exported.files
    held = prove(proof.subject, opset=18, files={MODEL: files[MODEL], PIPELINE: files[PIPELINE]})
    monkeypatch.undo()
    plain = prove(proof.subject, opset=18, files={MODEL: files[MODEL], PIPELINE: files[PIPELINE]})
    read.assert_called()
    assert held.evidence.graphs == plain.evidence.graphs
    assert replace(held.evidence, seconds={}) == replace(plain.evidence, seconds={})


def test_evidence_names_the_bytes_that_were_measured(proof: Proof) -> None:
    evidence: Evidence = proof.evidence
    assert {graph.name: graph.sha256 for graph in evidence.graphs} == proof.exported.sha256
