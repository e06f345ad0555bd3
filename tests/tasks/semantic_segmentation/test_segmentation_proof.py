"""A small segmenter is exported and proved: pixels compared away from ties, mutated copies rejected."""

from __future__ import annotations

import pytest
import torch

from tests.builtin import builtin_task
from zoo import DataRequest, ImageInput
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.manifest import LineageRecord, PluginRecord
from zoo_export.proof.prove import Proof, prove
from zoo_export.subject.state_dict import state_sha256
from zoo_export.subject.subject import Subject
from zoo_torchvision.segmentation.tiny import fcn_tiny

pytestmark = pytest.mark.ci


@pytest.fixture(scope="module")
def segmenter_proof() -> Proof:
    task = builtin_task("semantic-segmentation")
    card = task.data.check(task.data.detect(DataRequest(source="digit_scenes")), progress=lambda *_: None)
    problem = task.problem(card, ImageInput(size=(43, 58), mean=(0.3,), std=(0.4,)))
    torch.manual_seed(0)
    module = fcn_tiny(num_classes=11).train()
    with torch.no_grad():
        for _ in range(4):
            module(torch.rand(4, 3, 43, 58))
    subject = Subject(
        model="torchvision/fcn_tiny",
        module=module.eval(),
        task=task,
        problem=problem,
        plugin=PluginRecord(name="torchvision", distribution="edgezoo", version="0"),
        lineage=LineageRecord(weights="made here", weights_sha256=state_sha256(module), target=""),
        trained=True,
        card=card,
    )
    return prove(subject, opset=18, evaluate=20)


def test_a_segmenter_is_proved(segmenter_proof: Proof) -> None:
    gates = segmenter_proof.verdict.gates
    # the module was trained here, without a run whose own metrics could be compared
    assert {gate.name: gate.status for gate in gates if gate.status is not Status.PASS} == {"truth": Status.WARN}


def test_pixels_are_compared_at_several_sizes_with_their_ties_counted(segmenter_proof: Proof) -> None:
    pipeline = next(graph for graph in segmenter_proof.evidence.graphs if graph.role == "pipeline")
    assert pipeline.axes is not None
    assert all(len(axis.tested) >= 3 and not axis.failures for axis in pipeline.axes.tested)
    found = [output for case in pipeline.cases if case.gates for output in case.outputs]
    assert {output.compare for output in found} == {"choice"}
    assert all(output.differing == 0 and output.elements == output.shape[0] * output.shape[1] for output in found)


def test_what_is_mutated_is_noticed(segmenter_proof: Proof) -> None:
    caught = {control.name: control.killed_by for control in segmenter_proof.evidence.mutants if control.applied}
    assert sum(name.startswith("postprocess: ") for name in caught) == 3
    assert len(caught) == 12 and all(caught.values())
    assert all("pipeline" in caught[name] for name in ("normalisation", "channels", "resize"))
