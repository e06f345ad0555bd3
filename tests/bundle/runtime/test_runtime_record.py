"""A bundle that was put to another runtime: its record judged anew, its own files executed, and both changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.bundle.conftest import MakeBundle
from tests.bundle.runtime.engines import runtime
from zoo.api.errors import BadFile
from zoo.bundle.judge.evidence import File
from zoo.bundle.judge.gates import Gate
from zoo.bundle.judge.runtime_rule import RuntimeEvidence, judge_runtime
from zoo.bundle.report.page import page
from zoo.bundle.report.record import read_report, runtime_report
from zoo.bundle.runtime.bundle import Bundle, verify_bundle
from zoo.bundle.runtime.manifest import RuntimeRecord
from zoo.runs.serialization import to_json

WHERE = "Acme 1.0, numpy, float32"
Change = Callable[[dict[str, Any]], None]


def rewritten(folder: Path, name: str, data: bytes, change: Change = lambda _: None) -> None:
    """A file of the bundle with other bytes, which the manifest names."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    told = json.loads((folder / "manifest.json").read_text())
    entry = {"name": name, "role": "report" if name == "report.json" else "other", "bytes": len(data)}
    entry["sha256"] = hashlib.sha256(data).hexdigest()
    told["files"] = [file for file in told["files"] if file["name"] != name] + [entry]
    change(told)
    (folder / "manifest.json").write_text(json.dumps(told))


@pytest.fixture
def put_elsewhere(make_bundle: MakeBundle) -> Path:
    """A bundle with the record of a runtime that has files of its own."""
    folder = make_bundle()
    own: dict[str, Mapping[str, bytes]] = {
        graph: {
            f"variants/acme/{graph[:-5]}.own": (folder / graph).read_bytes(),
            f"variants/acme/{graph[:-5]}.json": json.dumps({"made of": graph}).encode(),
        }
        for graph in ("model.onnx", "pipeline.onnx")
    }
    for files in own.values():
        for name, data in files.items():
            rewritten(folder, name, data)
    report = read_report(folder / "report.json")
    parity = replace(report.evidence, environment=replace(report.evidence.environment, provider=WHERE))
    evidence = RuntimeEvidence(
        name="acme",
        title="Acme",
        provider=WHERE,
        precision="float32",
        files=tuple(
            File(name=name, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
            for files in own.values()
            for name, data in files.items()
        ),
        parity=parity,
    )
    manifest = Bundle.open(folder).manifest
    published = {**manifest.graph_hashes(), **{file.name: file.sha256 for file in evidence.files}}
    verdict = judge_runtime(evidence, published=published)
    report = replace(report, runtimes=(runtime_report(evidence, verdict, published=True),))
    record = RuntimeRecord(
        name="acme",
        title="Acme",
        provider=WHERE,
        precision="float32",
        verdict="PASS",
        sentence=verdict.sentence,
        files={graph: tuple(files) for graph, files in own.items()},
    )
    rewritten(folder, "report.html", page(report).encode())
    rewritten(
        folder,
        "report.json",
        json.dumps(to_json(report)).encode(),
        lambda told: told.update(runtimes=[to_json(record)]),
    )
    return folder


def gates(folder: Path, **options: Any) -> dict[str, Gate]:
    return {gate.name: gate for gate in verify_bundle(folder, **options).gates}


def test_the_record_is_judged_anew_and_its_own_files_are_executed(put_elsewhere: Path) -> None:
    found = gates(put_elsewhere, engine=runtime("Converting", suffix=".own"))
    assert {name: gate.detail for name, gate in found.items() if gate.status != "PASS"} == {}
    assert found["runtime acme"].detail == f"proved in {WHERE}"
    assert "it reproduces all 2 golden cases with its own files in variants/acme/" in found["acme"].detail


def test_the_page_shows_it(put_elsewhere: Path) -> None:
    text = (put_elsewhere / "report.html").read_text()
    assert "Acme, the bundle is for it" in text and "variants/acme/pipeline.own" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sentence": "proved everywhere"}, "the manifest says PASS, 'proved everywhere'"),
        ({"verdict": "WARN"}, "the manifest says WARN"),
        ({"provider": "Acme 2.0, numpy, float32"}, "the manifest names another runtime than the record"),
        ({"precision": "float16"}, "the manifest names another runtime than the record"),
        ({"files": {}}, "the files of the manifest are not those that were measured"),
        ({"name": "acne"}, "the report knows no such runtime"),
    ],
)
def test_a_record_that_says_something_else_is_noticed(put_elsewhere: Path, change: dict[str, Any], said: str) -> None:
    told = json.loads((put_elsewhere / "manifest.json").read_text())
    told["runtimes"][0] |= change if "name" not in change else {**change, "files": {}}
    (put_elsewhere / "manifest.json").write_text(json.dumps(told))
    gate = next(gate for name, gate in gates(put_elsewhere).items() if name.startswith("runtime "))
    assert (gate.status, said in gate.detail) == ("FAIL", True), gate.detail


def test_other_bytes_in_its_own_file_are_noticed(put_elsewhere: Path) -> None:
    rewritten(put_elsewhere, "variants/acme/pipeline.own", b"another graph")
    gate = gates(put_elsewhere)["runtime acme"]
    assert (gate.status, "its evidence 'refused (FAIL)" in gate.detail) == ("FAIL", True), gate.detail


def test_a_verdict_that_the_evidence_does_not_give_is_noticed(put_elsewhere: Path) -> None:
    told = json.loads((put_elsewhere / "report.json").read_text())
    told["runtimes"][0]["evidence"]["parity"]["graphs"][0]["cases"] = []
    rewritten(put_elsewhere, "report.json", json.dumps(told).encode())
    assert gates(put_elsewhere)["runtime acme"].status == "FAIL"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../acme"},
        {"name": "Acme"},
        {"files": {"model.onnx": ["run.py"]}},
        {"files": {"model.onnx": []}},
        {"files": {"other.onnx": ["variants/acme/model.own"]}},
        {"files": {"model.onnx": ["variants/acme/nothing"]}},
    ],
)
def test_a_record_with_strange_names_is_no_manifest(put_elsewhere: Path, change: dict[str, Any]) -> None:
    told = json.loads((put_elsewhere / "manifest.json").read_text())
    told["runtimes"][0] |= change
    (put_elsewhere / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(BadFile, match="the runtime"):
        Bundle.open(put_elsewhere)


def test_a_stranger_beside_its_files_is_noticed(put_elsewhere: Path) -> None:
    rewritten(put_elsewhere, "variants/acme/numpy.py", b"print('mine')")
    found = gates(put_elsewhere)["code"]
    assert (found.status, "variants/acme/numpy.py is no file of a bundle" in found.detail) == ("FAIL", True)


def test_two_runtimes_of_one_folder_are_no_manifest(put_elsewhere: Path) -> None:
    told = json.loads((put_elsewhere / "manifest.json").read_text())
    told["runtimes"] *= 2
    (put_elsewhere / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(BadFile, match="names a runtime twice"):
        Bundle.open(put_elsewhere)
