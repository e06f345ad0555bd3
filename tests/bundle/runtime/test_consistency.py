"""A manifest that says something else than the record or the graphs: every file has its hash, and nothing fits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.bundle.conftest import PROBLEM, MakeBundle, answer, serialized
from tests.bundle.runtime.graphs import linear
from tests.bundle.runtime.test_bundle import relist, rewrite
from tests.conftest import Said
from tests.healthy import healthy_evidence
from zoo.api.errors import BadFile
from zoo.bundle.judge.evidence import Axes, Evidence
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.bundle import verify_bundle
from zoo.bundle.runtime.golden_replay import golden_bytes
from zoo.runs.serialization import to_json

PORT = {"name": "image", "dtype": "uint8", "shape": ["height", "width", 3], "doc": "", "feeds": ""}


def deep(told: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A record with some of its fields, at any depth, replaced."""
    return {
        name: deep(value, changes[name]) if name in changes and isinstance(value, dict) else changes.get(name, value)
        for name, value in told.items()
    }


EDITS: list[tuple[dict[str, Any], str]] = [
    ({"problem": {"classes": ["green", "red", "blue"]}}, "the digest of the class names is"),
    ({"problem": {"input": {"mean": [0.9]}}}, "of input where the manifest says"),
    ({"problem": {"vocabulary": ["a"]}}, "of problem_sha256 where the manifest says"),
    ({"model": "torchvision/resnet18"}, "the model is torchvision/resnet18 in the manifest and cnn/cnn in the record"),
    ({"task": "object-detection"}, "the task is object-detection in the manifest"),
    ({"opset": 20}, "the opset of the model is 20 in the manifest and 18 in the record"),
    ({"lineage": {"weights": "cnn@mnist"}}, "the weights are cnn@mnist in the manifest and cnn@digits in the record"),
    ({"lineage": {"weights_sha256": "0" * 64}}, "the digest of the weights is 0000"),
    ({"licences": {"code": "mine"}}, 'says {"code": "Apache-2.0"} of licence where the manifest says {"code": "mine"}'),
    ({"pipeline_signature": {"inputs": [{**PORT, "dtype": "float32"}]}}, "image is uint8 ['height', 'width', 3]"),
    ({"pipeline_signature": {"inputs": [{**PORT, "shape": ["height", "width", 1]}]}}, "not uint8 ['height', 'width',"),
    ({"model_signature": {"outputs": []}}, "its outputs are y, not "),
]


@pytest.mark.parametrize(("changes", "sentence"), EDITS)
def test_an_edited_manifest_is_told_by_the_record_or_the_graphs(
    make_bundle: MakeBundle, changes: dict[str, Any], sentence: str
) -> None:
    bundle = make_bundle()
    rewrite(bundle, **deep(json.loads((bundle / "manifest.json").read_text()), changes))
    gates = {gate.name: gate for gate in verify_bundle(bundle).gates}
    others = {gate.status for name, gate in gates.items() if name not in ("accord", "code")}
    assert others == {Status.PASS}  # hashes, evidence and golden cases see nothing
    assert gates["accord"].status == Status.FAIL
    assert sentence in gates["accord"].detail


def test_the_record_of_a_single_file_is_none_of_a_bundle(make_bundle: MakeBundle) -> None:
    evidence = healthy_evidence()
    weak = replace(evidence, subject=replace(evidence.subject, scope="file"), lineage=None, labels=None, agreement=None)
    gates = {gate.name: gate for gate in verify_bundle(make_bundle(evidence=weak, verdict="PASS")).gates}
    assert gates["proof"].status == Status.FAIL
    assert "measured as a file, and 2 graphs are to be published" in gates["proof"].detail
    assert "the record is about bundle in the manifest and file in the record" in gates["accord"].detail


def without_axes(evidence: Evidence) -> Evidence:
    model, pipeline = evidence.graphs
    return replace(evidence, graphs=(model, replace(pipeline, axes=Axes(tested=(), static="it has one size"))))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without_axes, "image[0] (height) of the pipeline is dynamic in the manifest, not in the record"),
        (
            lambda evidence: replace(evidence, environment=replace(evidence.environment, zoo="0.1.0")),
            "the version of zoo is",
        ),
    ],
)
def test_what_a_record_leaves_out_is_told_by_the_manifest(
    make_bundle: MakeBundle, change: Callable[[Evidence], Evidence], sentence: str
) -> None:
    gates = {gate.name: gate for gate in verify_bundle(make_bundle(evidence=change(healthy_evidence()))).gates}
    assert gates["proof"].status == Status.PASS
    assert gates["accord"].status == Status.FAIL
    assert sentence in gates["accord"].detail


@pytest.mark.parametrize("measured", ["truth", "skew", "labels", "agreement", "lineage", "eval_mode", "mutants"])
def test_a_record_without_one_of_its_measurements_is_no_proof(make_bundle: MakeBundle, measured: str) -> None:
    bundle = make_bundle()
    record = json.loads((bundle / "report.json").read_text())
    del record["evidence"][measured]
    (bundle / "report.json").write_text(json.dumps(record))
    relist(bundle, "report.json")
    gates = {gate.name: gate for gate in verify_bundle(bundle).gates}
    assert gates["proof"].status == Status.FAIL
    assert "the evidence gives INCONCLUSIVE" in gates["proof"].detail


def test_a_record_of_today_that_names_the_schema_of_0_1_is_refused(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    record = json.loads((bundle / "report.json").read_text())
    record["schema"] = record["evidence"]["schema"] = 1
    del record["evidence"]["truth"]
    (bundle / "report.json").write_text(json.dumps(record))
    relist(bundle, "report.json")
    with pytest.raises(BadFile, match=r"only zoo 0\.1 wrote that schema"):
        verify_bundle(bundle)


def test_a_graph_that_says_nothing_of_itself_does_not_belong(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    (bundle / "model.onnx").write_bytes(linear().SerializeToString())
    relist(bundle, "model.onnx")
    gates = {gate.name: gate for gate in verify_bundle(bundle).gates}
    assert "model.onnx says nothing of model where the manifest says cnn/cnn" in gates["accord"].detail
    assert serialized(linear()) != linear().SerializeToString()


def golden(bundle: Any, **arrays: Any) -> None:
    """Another golden case, with its new hash."""
    raw = golden_bytes({"image": arrays["image"]}, {"probabilities": arrays["probabilities"]})
    (bundle / "golden/case-0.npz").write_bytes(raw)
    relist(bundle, "golden/case-0.npz")


IMAGE = np.full((4, 4, 3), 9, np.uint8)
RIGHT = answer(IMAGE)


@pytest.mark.parametrize(
    ("image", "probabilities", "case"),
    [
        (IMAGE, RIGHT, {"steps": 5}),  # the arrays have no such axis
        (IMAGE, RIGHT, {"feedback": {"image": "nowhere"}, "steps": 2}),
        (IMAGE, np.array(["red"]), {}),
        (np.array(["a"]), RIGHT, {}),
        (np.array(3), RIGHT, {"steps": 2}),
        (IMAGE, RIGHT, {"outputs": [{"name": "probabilities", "compare": "tolerance", "rms": None, "max": None}]}),
    ],
)
def test_a_made_up_golden_case_is_a_sentence(
    make_bundle: MakeBundle, zoo_command: Callable[..., Said], image: Any, probabilities: Any, case: dict[str, Any]
) -> None:
    bundle = make_bundle()
    golden(bundle, image=image, probabilities=probabilities)
    first, *rest = json.loads((bundle / "manifest.json").read_text())["golden"]
    rewrite(bundle, golden=[{**first, **case}, *rest])
    said = zoo_command("verify", str(bundle))
    assert said.code in (1, 2)
    assert "golden" in said.out + said.err
    assert "Traceback" not in said.err


def test_a_bundle_of_a_zoo_whose_problems_had_fewer_fields_still_holds(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = to_json(PROBLEM)
    older = {**whole, "input": {name: value for name, value in whole["input"].items() if name != "resize"}}
    monkeypatch.setattr("tests.bundle.conftest.to_json", lambda value: older if value is PROBLEM else to_json(value))
    bundle = make_bundle()
    told = json.loads((bundle / "manifest.json").read_text())
    rewrite(bundle, problem=older)
    assert told["problem"] != older
    assert verify_bundle(bundle).holds
