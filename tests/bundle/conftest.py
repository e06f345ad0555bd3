"""A whole small bundle: a pipeline that answers with the share of each colour, and a record that holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.bundle.runtime import graphs
from tests.healthy import healthy_evidence
from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.api.problem import ImageInput, Problem
from zoo.api.task import Port, Signature
from zoo.bundle.judge.evidence import Evidence, File, GoldenEvidence, GoldenTolerance, Magnitude
from zoo.bundle.judge.parity_rule import golden_tolerance
from zoo.bundle.judge.verdict import judge
from zoo.bundle.report.page import page
from zoo.bundle.report.record import report_of
from zoo.bundle.runtime import bundled_run, bundled_self_test
from zoo.bundle.runtime.code_check import zoo_version
from zoo.bundle.runtime.consistency import description, proved_sizes
from zoo.bundle.runtime.golden_replay import golden_bytes
from zoo.bundle.runtime.manifest import (
    BundleFile,
    GoldenCase,
    GoldenOutput,
    LineageRecord,
    Manifest,
    PluginRecord,
)
from zoo.bundle.runtime.task_source import task_source
from zoo.runs.serialization import to_json
from zoo_export.capture.onnx_graph import describe

MakeBundle = Callable[..., Path]
MODEL = "cnn/cnn"
PROBLEM = Problem(task="image-classification", input=ImageInput(size=(28, 28)), classes=("red", "green", "blue"))
PLUGIN = PluginRecord(name="cnn", distribution="edgezoo", version="0.1.0")
LICENCES = {"code": "Apache-2.0"}
PARTS = GoldenTolerance(
    name="probabilities",
    scale=Magnitude(rms=1.0, max=2.0),
    noise=Magnitude(rms=1e-6, max=2e-6),
    moved=Magnitude(rms=0.0, max=0.0),
)
"""What the tolerance of every golden answer is made of."""


def colours(gain: float) -> bytes:
    """image uint8 [height, width, 3] -> probabilities float32 [3], the softmax of `gain` times the mean colour."""
    nodes = [
        helper.make_node("Cast", ["image"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["levels", "axes"], ["mean"], keepdims=0),
        helper.make_node("Div", ["mean", "scale"], ["share"]),
        helper.make_node("Softmax", ["share"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["height", "width", 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [3])],
        initializer=[graphs.numbers("axes", 0, 1), helper.make_tensor("scale", TensorProto.FLOAT, [], [64.0 / gain])],
    )
    return serialized(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10))


def serialized(model: onnx.ModelProto) -> bytes:
    """The bytes of a graph that says of itself what the manifest says."""
    facts = description(
        model=MODEL, problem=to_json(PROBLEM), plugin=PLUGIN, opset=18, weights_sha256="e" * 64, licences=LICENCES
    )
    describe(model, facts)
    return bytes(model.SerializeToString())


def answer(image: np.ndarray[Any, Any], gain: float = 1.0) -> np.ndarray[Any, Any]:
    """What the pipeline computes, in fp64."""
    power = np.exp(image.astype("float64").mean((0, 1)) * gain / 64)
    return np.asarray(power / power.sum())


def contents(evidence: Evidence, *, verdict: str | None, gain: float) -> dict[str, bytes]:
    """The bytes of every file, the manifest among them."""
    files = {
        "model.onnx": serialized(graphs.linear()),
        "pipeline.onnx": colours(gain),
        "run.py": Path(bundled_run.__file__).read_bytes(),
        "selftest.py": Path(bundled_self_test.__file__).read_bytes(),
        "task.py": task_source("zoo.tasks.image_classification.device:read").encode(),
    }
    rng = np.random.default_rng(0)
    for i in range(2):
        image = rng.integers(0, 256, (5 + i, 7, 3), dtype=np.uint8)
        files[f"golden/case-{i}.npz"] = golden_bytes({"image": image}, {"probabilities": answer(image, gain)})
    sha256 = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    onnx_files = tuple(name for name in files if name.endswith(".onnx"))
    golden = tuple(
        GoldenEvidence(case=name[7:-4], graph="pipeline.onnx", file=name, sha256=sha256[name], outputs=(PARTS,))
        for name in files
        if name.startswith("golden/")
    )
    measured = replace(
        evidence,
        golden=golden,
        graphs=tuple(replace(graph, sha256=sha256[graph.name]) for graph in evidence.graphs),
        subject=replace(
            evidence.subject,
            files=tuple(File(name=name, sha256=sha256[name], bytes=len(files[name])) for name in onnx_files),
        ),
    )
    found = judge(measured, published={name: sha256[name] for name in onnx_files})
    report = report_of(measured, found, reproduce=("zoo export cnn@digits --onnx",), seconds=3.0)
    files["report.json"] = json.dumps(to_json(report)).encode()
    files["report.html"] = page(report).encode()
    claimed = verdict or found.status.value
    files["manifest.json"] = json.dumps(to_json(manifest(files, claimed, proved_sizes(measured)))).encode()
    return files


def manifest(files: dict[str, bytes], verdict: Any, proved: dict[str, int]) -> Manifest:
    """The manifest of some files."""
    roles: dict[str, Any] = {"model.onnx": "model", "pipeline.onnx": "pipeline", "report.json": "report"}
    allowed = golden_tolerance(PARTS, PARTS.noise)
    tolerance = GoldenOutput(name="probabilities", compare="tolerance", rms=allowed.rms, max=allowed.max)
    image = Port(name="image", dtype="uint8", shape=("height", "width", 3))
    probabilities = Port(name="probabilities", dtype="float32", shape=(3,))
    x, y = Port(name="x", dtype="float32", shape=("batch", 4)), Port(name="y", dtype="float32", shape=("batch", 2))
    return Manifest(
        zoo=zoo_version(),
        created="2026-01-01T00:00:00+00:00",
        model=MODEL,
        task=PROBLEM.task,
        plugin=PLUGIN,
        problem=PROBLEM,
        model_signature=Signature(inputs=(x,), outputs=(y,)),
        pipeline_signature=Signature(inputs=(image,), outputs=(probabilities,)),
        postprocess=(PostprocessStep(kind=PostprocessKind.SOFTMAX),),
        opset=18,
        lineage=LineageRecord(weights="cnn@digits", weights_sha256="e" * 64, target="cnn@digits"),
        licences=LICENCES,
        verdict=verdict,
        proved=proved,
        golden=tuple(
            GoldenCase(name=name[7:-4], file=name, graph="pipeline.onnx", origin="synthetic", outputs=(tolerance,))
            for name in files
            if name.startswith("golden/")
        ),
        files=tuple(
            BundleFile(
                name=name, role=roles.get(name, "other"), sha256=hashlib.sha256(data).hexdigest(), bytes=len(data)
            )
            for name, data in files.items()
        ),
    )


@pytest.fixture
def make_bundle(tmp_path: Path) -> MakeBundle:
    """Writes the bundle and returns its path; `evidence` and `verdict` replace what its record says."""

    def make(*, evidence: Evidence | None = None, verdict: str | None = None, gain: float = 1.0) -> Path:
        folder = tmp_path / "bundle"
        for name, data in contents(evidence or healthy_evidence(), verdict=verdict, gain=gain).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return folder

    return make
