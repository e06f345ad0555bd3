"""Six picture bundles and two text bundles answer in OpenVINO as they do in ONNX Runtime; under two minutes in all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.golden_replay import replay
from zoo.bundle.sandbox.runtime import Engine, Runtime
from zoo.data.image.synthetic import scene
from zoo.models.target import resolve_target
from zoo_export.bundle.write import write
from zoo_export.controls.resize_edits import half_pixel_off, without_antialias
from zoo_export.proof.prove import Proof, prove
from zoo_export.subject.load import find_subject
from zoo_export.verify.rederive import rederive
from zoo_export.verify.verify import verify_anew

pytest.importorskip("openvino")
pytestmark = pytest.mark.ci

PICTURES = (
    "cnn@digits",
    "convnet@digits",
    "yolo_nano@digit_scenes",
    "fcn_tiny@digit_scenes",
    "facenet_tiny@digits",
    "conv_autoencoder@digits",
)
TEXTS = ("gru@names", "transformer@names")
SIZES = ((17, 23), (480, 640), (4_000, 1_500))
Exported = Callable[[str], tuple[Proof, Bundle]]


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The proof and the bundle of published weights, made once; few evaluation items do, ONNX Runtime is proved
    elsewhere."""
    folder = tmp_path_factory.mktemp("bundles")
    made: dict[str, tuple[Proof, Bundle]] = {}

    def find(name: str) -> tuple[Proof, Bundle]:
        if name not in made:
            request = resolve_target(name, checkpoint="best", untrained=False)
            subject = find_subject(request.target, request.catalog)
            proof = prove(replace(subject, card=subject.evaluation), opset=18, evaluate=10)
            written = write(proof, folder / name, reproduce=(), allow_unproved=True)
            made[name] = proof, Bundle.open(written.path)
        return made[name]

    return find


def differing(bundle: Bundle, engine: Engine, graph: bytes | None = None) -> dict[str, tuple[str, ...]]:
    """What golden cases notice in a runtime; `graph` stands in place of pipeline.onnx."""
    cases = [case for case in bundle.manifest.golden if graph is None or case.graph == "pipeline.onnx"]
    with Runtime(engine=engine) as runtime:
        sessions = {
            name: runtime.session(bundle.path / name if graph is None else graph)
            for name in {case.graph for case in cases}
        }
        return replay(bundle.path, cases, lambda name: lambda feeds: runtime.run(sessions[name], feeds))


@pytest.mark.parametrize("name", [*PICTURES, *TEXTS])
def test_every_golden_case_is_replayed_within_its_tolerance(name: str, exported: Exported) -> None:
    _, bundle = exported(name)
    differences = differing(bundle, "openvino")
    assert len(differences) >= 4
    assert {case: lines for case, lines in differences.items() if lines} == {}


@pytest.mark.parametrize("name", PICTURES)
def test_golden_cases_alone_kill_mutants_of_the_resize(name: str, exported: Exported) -> None:
    proof, bundle = exported(name)
    for edit in (without_antialias, half_pixel_off):
        mutant = edit(proof.exported.pipeline.shipped.model)
        assert mutant is not None
        assert any(differing(bundle, "onnxruntime", mutant.SerializeToString()).values()), edit.__name__


@pytest.mark.parametrize("name", PICTURES[:3])
def test_pictures_of_all_sizes_have_the_same_answers_in_both(name: str, exported: Exported) -> None:
    _, bundle = exported(name)
    answers: dict[Engine, list[Mapping[str, Any]]] = {"onnxruntime": [], "openvino": []}
    for engine, given in answers.items():
        with Runtime(engine=engine) as runtime:
            session = runtime.session(bundle.path / "pipeline.onnx")
            given += [runtime.run(session, {"image": scene(*size, seed=3)}) for size in SIZES]
    for expected, actual in zip(answers["onnxruntime"], answers["openvino"], strict=True):
        for port, value in expected.items():
            np.testing.assert_allclose(actual[port], value, rtol=2e-3, atol=2e-3, err_msg=port)


@pytest.mark.parametrize("name", ["convnet@digits", "gru@names"])
def test_the_whole_proof_is_executed_there(name: str, exported: Exported) -> None:
    _, bundle = exported(name)
    verified = verify_anew(bundle.path, against=name, explain=False, engine="openvino", evaluate=10)
    gates = {gate.name: gate for gate in verified.report.gates}
    assert verified.proved
    assert gates["bundle"].status == Status.PASS
    assert gates["openvino"].detail.endswith(f"reproduces all {len(bundle.manifest.golden)} golden cases")
    assert verified.report.evidence.environment.provider.endswith(", CPU, float32")


def test_a_golden_case_that_leaves_out_an_output_is_found(exported: Exported, tmp_path: Path) -> None:
    """Here, because it takes a model with several outputs; the hashes and the answers that are left are right."""
    proof, bundle = exported("yolo_nano@digit_scenes")
    assert rederive(bundle, proof)[0] == Status.PASS
    copy = Path(shutil.copytree(bundle.path, tmp_path / "copy"))
    told = json.loads((copy / "manifest.json").read_text())
    told["golden"][0]["outputs"] = [output for output in told["golden"][0]["outputs"] if output["name"] != "boxes"]
    (copy / "manifest.json").write_text(json.dumps(told))
    status, detail = rederive(Bundle.open(copy), proof)
    assert (status, "leaves out boxes" in detail) == (Status.FAIL, True)
