"""A two-stage detector is exported and proved: its regions by their names, their choice by what it could have been."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.builtin import builtin_task
from tests.plugins.two_stage_networks import SIZE, small_network
from zoo import DataRequest, ImageInput
from zoo.bundle.judge.evidence import VALUES
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.manifest import LineageRecord, PluginRecord
from zoo_export.bundle.write import write
from zoo_export.capture.capture import MODEL
from zoo_export.measure.outputs import compare_case
from zoo_export.proof.prove import Proof, prove
from zoo_export.reference.oracle import ReferenceOutputs
from zoo_export.subject.choose_cases import collect
from zoo_export.subject.random_weights import randomise
from zoo_export.subject.results import Failed
from zoo_export.subject.state_dict import state_sha256
from zoo_export.subject.subject import Subject
from zoo_torchvision.detection.adapter import TwoStageAdapter
from zoo_torchvision.detection.specs import EXPORT

pytestmark = pytest.mark.ci


@pytest.fixture(scope="module")
def proof() -> Proof:
    task = builtin_task("object-detection")
    card = task.data.check(task.data.detect(DataRequest(source="digit_scenes")), progress=lambda *_: None)
    problem = task.problem(card, ImageInput(size=SIZE))
    module = TwoStageAdapter(small_network(classes=len(problem.classes)), problem).eval()
    subject = Subject(
        model="torchvision/small",
        module=module,
        task=task,
        problem=problem,
        plugin=PluginRecord(name="torchvision", distribution="edgezoo", version="0"),
        lineage=LineageRecord(weights="live", weights_sha256="", target="small"),
        trained=True,
        export=EXPORT,
        card=card,
    )
    with torch.no_grad():
        inputs = collect(subject, subject.torch_pipeline(), evaluate=0)
        usual = [case.inputs for case in inputs.model if case.gates and case.kind != VALUES]
        randomise(module, usual, subject.signature, seed=0)
    object.__setattr__(subject.lineage, "weights_sha256", state_sha256(module))
    return prove(subject, opset=18, evaluate=30)


def test_it_is_proved(proof: Proof) -> None:
    status = {gate.name: gate.status for gate in proof.verdict.gates}
    assert status.pop("parity") in (Status.PASS, Status.WARN)
    # the module was trained here, without a run whose own metrics could be compared
    assert status.pop("truth") is Status.WARN
    assert {name: one for name, one in status.items() if one is not Status.PASS} == {}


def test_every_mutant_is_killed(proof: Proof) -> None:
    caught = {control.name: control.killed_by for control in proof.evidence.mutants if control.applied}
    usual = {name for name in caught if not name.startswith("postprocess: ")}
    assert usual == {"weight", "scale", "bias", "classes", "normalisation", "channels", "resize", "training"}
    assert len(caught) - len(usual) == 15 and all(caught.values())


def test_its_file_answers_other_scenes_than_nothing_and_a_crowd(proof: Proof) -> None:
    names = {
        case.name for case, given in zip(proof.inputs.raw, proof.answers, strict=True) if not isinstance(given, Failed)
    }
    assert {"nothing", "crowd", "scene", "tall"} <= names


def test_a_region_left_out_is_noticed(proof: Proof) -> None:
    case, answer = proof.inputs.model[0], proof.references[MODEL][0]
    assert isinstance(answer, ReferenceOutputs) and answer.matching.is_selection("regions") and answer.matching.decided
    given = {name: value.copy() for name, value in answer.single.items()}
    sound = {one.name: one.differing for one in compare_case(case, given, answer, proof.subject.signature).outputs}
    given["regions"][0, 3] = -1
    mutated = {one.name: one.differing for one in compare_case(case, given, answer, proof.subject.signature).outputs}
    assert (sound["regions"], mutated["regions"]) == (0, 2)  # it is missing, and its row says something


def test_its_bundle_holds_a_choice_of_the_model_only_where_there_is_one(proof: Proof, tmp_path: Path) -> None:
    written = write(proof, tmp_path / "bundle", reproduce=())
    stored = [tmp_path / "bundle" / case.file for case in written.golden if case.graph == MODEL]
    assert written.published and stored
    for path in stored:
        with np.load(path) as arrays:
            assert arrays["out.regions"].dtype == np.int64
