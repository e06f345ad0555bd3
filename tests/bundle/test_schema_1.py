"""Manifests and reports of schema 1 in the fields of today; what is neither is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.api.errors import BadFile
from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.bundle import schema_1
from zoo.bundle.judge.verdict import judge
from zoo.bundle.report.record import Report, read_report
from zoo.bundle.runtime.manifest import Manifest, read_manifest
from zoo.runs.serialization import from_json

EXPORTED = Path(__file__).parents[1] / "data" / "zoo_0_1" / "exported"
WRITER = EXPORTED / "writer"
SEED_3 = "seeded live weights (seed 3; 2 silent parameters drawn anew)"


def manifest(**changes: Any) -> Manifest:
    """The writer's manifest with other values in its JSON."""
    document = {**json.loads((WRITER / "manifest.json").read_text()), **changes}
    return from_json(Manifest, schema_1.manifest(document, where="manifest.json"), where="manifest.json")


def report(change: Callable[[dict[str, Any]], object]) -> Report:
    """The writer's report, changed as JSON."""
    document = json.loads((WRITER / "report.json").read_text())
    change(document)
    return from_json(Report, schema_1.report(document, where="report.json"), where="report.json")


def lineage(weights: str, target: str = "") -> dict[str, str]:
    return {"weights": weights, "weights_sha256": "0" * 64, "target": target}


# --- manifest.json ---


@pytest.mark.parametrize(
    ("finishing", "kinds"),
    [
        ("probabilities", ["softmax"]),
        ("picture", ["denormalise"]),
        ("pictures", ["denormalise"]),
        ("asgiven", ["identity"]),
        ("unitlength", ["unit_length"]),
        ("unitlengths", ["unit_length"]),
        ("classmap", ["resize_to_image", "argmax"]),
        ("detections", ["top_k", "clip_boxes", "nms", "scale_to_image"]),
        ("inpixels", []),
    ],
)
def test_the_name_of_a_class_becomes_steps(finishing: str, kinds: list[str]) -> None:
    assert [step.kind for step in manifest(finishing=finishing).postprocess] == kinds


@pytest.mark.parametrize(("facts", "limit"), [({}, 100), ({"max_detections": 20}, 20)])
def test_a_detector_has_the_thresholds_of_then(facts: dict[str, int], limit: int) -> None:
    problem = {**json.loads((WRITER / "manifest.json").read_text())["problem"], "facts": facts}
    steps = manifest(finishing="detections", problem=problem).postprocess
    assert steps[0] == PostprocessStep(kind=PostprocessKind.TOP_K, numbers={"k": 1000})
    assert steps[2].numbers == {"score_threshold": 0.05, "iou_threshold": 0.5, "max_detections": limit}


@pytest.mark.parametrize(
    ("lineage", "seed"),
    [
        (lineage(SEED_3), 3),
        (lineage("seeded live weights (seed 12)"), 12),
        (lineage("run runs/a (seed 5), step-470", "runs/a (seed 5)"), None),
        (lineage("cnn/cnn@cnn/digits", "cnn/cnn@cnn/digits"), None),
        (lineage("seeded live weights (seed 4)", "runs/seeded live weights (seed 4)"), None),
    ],
)
def test_the_seed_of_random_weights_is_taken_out_of_the_sentence(lineage: dict[str, str], seed: int | None) -> None:
    assert manifest(lineage=lineage).lineage.seed == seed


def test_the_problem_is_kept_as_it_was_written() -> None:
    file = read_manifest(WRITER)
    assert (file.schema, file.problem["input"]["kind"]) == (1, "TokenInput")
    assert (file.manifest.schema, file.manifest.problem.fact("max_length")) == (2, 64)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"finishing": None}, "it names no finishing"),
        ({"postprocess": []}, "names schema 1, which has no 'postprocess'"),
        ({"lineage": {**lineage(SEED_3), "seed": 3}}, "names schema 1, which has no 'seed'"),
        ({"lineage": "none"}, "not a valid Manifest"),
        ({"problem": []}, "not a valid Manifest"),
        ({"finishing": "detections", "problem": None}, "not a valid Manifest"),
    ],
)
def test_a_manifest_that_is_neither_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadFile, match=reason):
        manifest(**changes)


# --- report.json ---


def test_a_report_has_the_words_of_today_and_the_verdict_of_then() -> None:
    told = json.loads((WRITER / "report.json").read_text())
    read = read_report(WRITER / "report.json")
    assert [gate.name for gate in read.gates][-1] == "mutation score"
    assert (read.schema, read.evidence.schema) == (2, 2)
    expected = [(one["name"], tuple(one["caught_by"])) for one in told["evidence"]["power"]]
    assert [(mutant.name, mutant.killed_by) for mutant in read.evidence.mutants] == expected
    assert len(expected) == 11
    assert read.evidence.seconds["mutation score"] == told["evidence"]["seconds"]["power"]
    hashes = {file.name: file.sha256 for file in read.evidence.subject.files}
    found = judge(read.evidence, published=hashes)
    assert (found.status, found.sentence) == ("PASS", "proved")
    asked = [gate for gate in found.gates if gate.name != "truth"]
    assert [(gate.name, gate.status) for gate in asked] == [(gate.name, gate.status) for gate in read.gates]
    truth = next(gate for gate in found.gates if gate.name == "truth")
    assert (truth.status, "zoo 0.1, which made this record" in truth.detail) == ("PASS", True)


def test_skew_and_discrepancies_are_carried_over() -> None:
    item = {"against": "the dataset", "elements": 4, "differing": 0, "far": 0, "name": "item", "same_answer": True}

    def change(told: dict[str, Any]) -> None:
        told["evidence"]["fed"] = [item]
        told["evidence"]["reference"]["traps"] = ["two paths disagree"]

    evidence = report(change).evidence
    assert [skewed.name for skewed in evidence.skew or ()] == ["item"]
    assert evidence.reference.discrepancies == ("two paths disagree",)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda told: told.update(evidence=None), "not a valid Report"),
        (lambda told: told.update(gates="power"), "not a valid Report"),
        (lambda told: told["gates"].append("power"), "not a valid Report"),
        (lambda told: told["evidence"].update(power=[3]), "not a valid Report"),
        (lambda told: told["evidence"].update(power={"weight": {}}), "not a valid Report"),
        (lambda told: told["evidence"].update(reference=[]), "not a valid Report"),
        (lambda told: told["evidence"].update(seconds=[]), "not a valid Report"),
        (lambda told: told["evidence"].update(mutants=[]), "names schema 1, which has no 'mutants'"),
        (lambda told: told["evidence"]["power"][0].update(killed_by=[]), "names schema 1, which has no 'killed_by'"),
    ],
)
def test_a_report_that_is_neither_is_refused(change: Callable[[dict[str, Any]], object], reason: str) -> None:
    with pytest.raises(BadFile, match=reason):
        report(change)


def test_evidence_of_a_schema_that_never_was_is_left_to_the_judge() -> None:
    assert report(lambda told: told["evidence"].update(schema=7)).evidence.schema == 7


def test_what_is_read_is_not_changed() -> None:
    for name, read in (("manifest.json", schema_1.manifest), ("report.json", schema_1.report)):
        document = json.loads((WRITER / name).read_text())
        before = copy.deepcopy(document)
        read(document, where=name)
        assert document == before
