"""Do bundles answer in OpenVINO as they do in ONNX Runtime: golden cases, and pictures from 17 to 4,000 px.

PYTHONPATH=.:plugins:export python benchmarks/openvino.py

Needs the extra `openvino`.  Writes openvino.md, a row a bundle; what OpenVINO refuses is named in its own words.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo.api.errors import ZooError
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.golden_replay import replay
from zoo.bundle.sandbox.runtime import Engine, Runtime
from zoo.data.image.synthetic import scene
from zoo.models.target import ModelTarget, resolve_target
from zoo_export.bundle.write import write
from zoo_export.proof.prove import prove
from zoo_export.subject.load import find_subject

MODELS = (
    "cnn@digits",
    "convnet@digits",
    "yolo_nano@digit_scenes",
    "fcn_tiny@digit_scenes",
    "facenet_tiny@digits",
    "conv_autoencoder@digits",
    "vae@digits",
    "dcgan@digits",
    "gru@names",
    "transformer@names",
    "bert_tiny@names",
    "sentence_bert_tiny",
    "gru_lm@names",
    "wavenet_tiny",
)
SIZES = ((17, 23), (28, 28), (97, 61), (480, 640), (1_080, 1_920), (4_000, 3_000))
HEAD = """# Bundles in OpenVINO

Written by `benchmarks/openvino.py`. OpenVINO replays the golden cases within the tolerances of the bundle. Pictures of
{sizes} px are put to both runtimes. The last number but one is the
largest difference of any output, in units of the largest value of that output; of whole numbers (classes, levels) it
is the share that differs.

| bundle | golden cases | reproduced | pictures: largest difference | what differs |
|---|---|---|---|---|
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One bundle in OpenVINO."""

    name: str
    golden: int
    reproduced: int
    apart: float | None
    wrong: str

    def __str__(self) -> str:
        apart = "–" if self.apart is None else f"{self.apart:.1e}"
        return f"| {self.name} | {self.golden} | {self.reproduced} | {apart} | {self.wrong or 'nothing'} |"


def exported(name: str, folder: Path) -> Bundle:
    """A bundle of the model; few evaluation items do, since ONNX Runtime is proved elsewhere."""
    request = resolve_target(name, checkpoint="best", untrained="@" not in name)
    subject = find_subject(request.target, request.catalog, untrained=isinstance(request.target, ModelTarget))
    proof = prove(replace(subject, card=subject.evaluation), opset=18, evaluate=10)
    return Bundle.open(write(proof, folder / name, reproduce=(), allow_unproved=True).path)


def answers(bundle: Bundle, engine: Engine) -> list[dict[str, Any]]:
    """What the pipeline says of pictures of all sizes."""
    with Runtime(engine=engine) as runtime:
        session = runtime.session(bundle.path / "pipeline.onnx")
        return [runtime.run(session, {"image": scene(*size, seed=3)}) for size in SIZES]


def apart(bundle: Bundle) -> float | None:
    """The largest difference between the runtimes, as a share; None where the input is no picture."""
    if [port.name for port in bundle.manifest.pipeline_signature.inputs] != ["image"]:
        return None
    largest = 0.0
    for expected, actual in zip(answers(bundle, "onnxruntime"), answers(bundle, "openvino"), strict=True):
        for port, value in expected.items():
            if value.shape != actual[port].shape:
                return float("inf")
            largest = max(largest, _distance(value, actual[port]))
    return largest


def _distance(expected: Any, actual: Any) -> float:
    if expected.dtype.kind in "iu" and expected.size:
        return float(np.mean(expected != actual))
    error = np.abs(expected.astype("float64") - actual.astype("float64"))
    return float(error.max(initial=0.0)) / max(float(np.abs(expected).max(initial=0.0)), 1e-9)


def row(name: str, folder: Path) -> Row:
    """One model."""
    bundle = exported(name, folder)
    cases = bundle.manifest.golden
    try:
        with Runtime(engine="openvino") as runtime:
            sessions = {graph: runtime.session(bundle.path / graph) for graph in {case.graph for case in cases}}
            found = replay(bundle.path, cases, lambda graph: lambda feeds: runtime.run(sessions[graph], feeds))
        wrong = "; ".join(line for lines in found.values() for line in lines)
        return Row(
            name=name,
            golden=len(cases),
            reproduced=sum(not lines for lines in found.values()),
            apart=apart(bundle),
            wrong=wrong,
        )
    except ZooError as error:
        return Row(name=name, golden=len(cases), reproduced=0, apart=None, wrong=str(error))


def main() -> None:
    """Every model."""
    page = HEAD.format(sizes=", ".join(f"{height}x{width}" for height, width in SIZES))
    with tempfile.TemporaryDirectory() as folder:
        for name in MODELS:
            page += f"{row(name, Path(folder))}\n"
            Path(__file__).with_suffix(".md").write_text(page, encoding="utf-8")
            print(page.splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
