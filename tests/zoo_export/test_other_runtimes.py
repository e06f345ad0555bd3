"""Six picture bundles and two text bundles answer in OpenVINO as they do in ONNX Runtime; under two minutes in all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.golden_replay import replay
from zoo.bundle.runtime.sandbox import Engine, Runtime
from zoo.data.image.synthetic import scene
from zoo.models.target import resolve_target
from zoo_export.bundle.write import write
from zoo_export.controls.resize_edits import half_pixel_off, without_antialias
from zoo_export.proof.prove import Proof, prove
from zoo_export.subject.load import find_subject

pytest.importorskip("openvino")
pytestmark = pytest.mark.slow

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


def exported(name: str, folder: Path) -> tuple[Proof, Bundle]:
    """A bundle of published weights; a few evaluation items do, since ONNX Runtime is proved elsewhere."""
    request = resolve_target(name, checkpoint="best", untrained=False)
    subject = find_subject(request.target, request.catalog)
    proof = prove(replace(subject, card=subject.evaluation), opset=18, evaluate=10)
    return proof, Bundle.open(write(proof, folder / "b", reproduce=(), allow_unproved=True).path)


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
def test_every_golden_case_is_replayed_within_its_tolerance(name: str, tmp_path: Path) -> None:
    proof, bundle = exported(name, tmp_path)
    differences = differing(bundle, "openvino")
    assert len(differences) >= 4
    assert {case: lines for case, lines in differences.items() if lines} == {}
    if name in PICTURES:
        for edit in (without_antialias, half_pixel_off):
            mutant = edit(proof.exported.pipeline.shipped)
            assert mutant is not None
            assert any(differing(bundle, "onnxruntime", mutant.SerializeToString()).values()), edit.__name__
    if name in PICTURES[:3]:
        _check_sizes(bundle)


def _check_sizes(bundle: Bundle) -> None:
    """Pictures from 17 to 4,000 px have the same answers in both."""
    answers: dict[Engine, list[Mapping[str, Any]]] = {"onnxruntime": [], "openvino": []}
    for engine, given in answers.items():
        with Runtime(engine=engine) as runtime:
            session = runtime.session(bundle.path / "pipeline.onnx")
            given += [runtime.run(session, {"image": scene(*size, seed=3)}) for size in SIZES]
    for expected, actual in zip(answers["onnxruntime"], answers["openvino"], strict=True):
        for port, value in expected.items():
            np.testing.assert_allclose(actual[port], value, rtol=2e-3, atol=2e-3, err_msg=port)
