"""A model of more than 2 GB, exported and proved: what lies beside its graphs, how long it takes, how much memory.

python benchmarks/large_model.py [LAYERS]       writes benchmarks/large_model.txt; 10 GB of memory are needed

The model is made large: nine residual layers of 8,192 units, 256 MB each, on digits of 28 pixels.  With fewer LAYERS
the limit of one file is lowered, and nothing is written.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from pathlib import Path
from threading import Thread

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from zoo.api.problem import ImageInput, Problem
from zoo.bundle.onnx_file.external_data import MAX_ONNX_BYTES, WEIGHTS, Weights
from zoo.bundle.onnx_file.safety.scan import demand_safe
from zoo.bundle.runtime.bundle import Bundle, verify_bundle
from zoo.bundle.runtime.manifest import LineageRecord, PluginRecord
from zoo.bundle.runtime.predict import predict_bundle
from zoo.registry.catalog import Catalog
from zoo_export.bundle.write import write
from zoo_export.proof.prove import prove
from zoo_export.subject.state_dict import state_bytes, state_sha256
from zoo_export.subject.subject import Subject

LAYERS, UNITS = 9, 8_192
DIGITS = tuple("0123456789")
OUT = Path(__file__).with_suffix(".txt")


class Huge(nn.Module):
    """float32 [n, 1, 28, 28] -> logits [n, 10]."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.stem = nn.Linear(784, UNITS)
        self.layers = nn.ModuleList(nn.Linear(UNITS, UNITS) for _ in range(layers))
        self.head = nn.Linear(UNITS, 10)

    def forward(self, image: Tensor) -> Tensor:
        """The logits."""
        features = self.stem(image.flatten(1))
        for layer in self.layers:
            features = features + torch.relu(layer(features))
        logits: Tensor = self.head(features)
        return logits


def subject_of(module: nn.Module) -> Subject:
    """The module as something to export."""
    image = ImageInput(size=(28, 28), channels=1, mean=(0.5,), std=(0.5,))
    return Subject(
        model="benchmark/huge",
        module=module,
        task=Catalog.discover().make_task("image-classification"),
        problem=Problem(task="image-classification", input=image, classes=DIGITS),
        plugin=PluginRecord(name="benchmark", distribution="zoo-benchmark", version="1.0"),
        lineage=LineageRecord(weights="random weights", weights_sha256=state_sha256(module), target=""),
        trained=False,
    )


class Peaks:
    """The largest memory of this process and of its runtimes', in GB, looked at twice a second."""

    def __init__(self) -> None:
        self.own, self.runtime, self.both = 0.0, 0.0, 0.0
        Thread(target=self._watch, daemon=True).start()

    def print(self, doing: str) -> None:
        """What is done next, and the peaks so far."""
        print(f"{self.own:5.1f} {self.runtime:5.1f}  {doing}", flush=True)

    def _watch(self) -> None:
        while True:
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="utf-8").split()
            own, runtime = _resident_gb("self"), sum(map(_resident_gb, children))
            self.own, self.runtime = max(self.own, own), max(self.runtime, runtime)
            self.both = max(self.both, own + runtime)
            time.sleep(0.5)


def _resident_gb(process: str) -> float:
    """Without what is mapped from files, which the system takes back when it needs memory."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    match = re.search(r"RssAnon:\s+(\d+)", status)
    return int(match[1]) / 1e6 if match else 0.0


def main() -> None:
    """Export, verify, predict, and prove the files again."""
    layers = int(sys.argv[1]) if len(sys.argv) > 1 else LAYERS
    one_file = MAX_ONNX_BYTES if layers == LAYERS else 1_000_000
    torch.manual_seed(0)
    subject = subject_of(Huge(layers).eval())
    lines = [f"{state_bytes(subject.module):,} bytes of parameters"]

    peaks = Peaks()

    def said(what: str, start: float) -> None:
        memory = f"{peaks.both:5.1f} GB ({peaks.own:.1f} zoo, {peaks.runtime:.1f} ONNX Runtime)"
        lines.append(f"{what:<34}{time.perf_counter() - start:7.0f} s   peak so far {memory}")
        print(lines[-1], flush=True)

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        proof = prove(subject, opset=18, evaluate=4, one_file=one_file, progress=peaks.print)
        said("proof", start)
        lines += [f"  {gate.status:<6}{gate.name:<15}{gate.detail[:90]}" for gate in proof.verdict.gates]
        written = write(proof, Path(folder) / "bundle", reproduce=("zoo export --onnx",))
        sizes = {path.name: path.stat().st_size for path in sorted(written.path.iterdir()) if path.is_file()}
        lines.append("  " + ", ".join(f"{name} {size:,}" for name, size in sizes.items() if "onnx" in name))
        start = time.perf_counter()
        checked = verify_bundle(written.path)
        said(f"verify BUNDLE: {checked.verdict}", start)
        start = time.perf_counter()
        list(predict_bundle(Bundle.open(written.path), [proof.inputs.raw[0].inputs]))
        said("predict", start)
        start = time.perf_counter()
        demand_safe(written.path / "pipeline.onnx")
        said("inspect", start)
        files = {name: (written.path / name).read_bytes() for name in proof.exported.files}
        del proof
        start = time.perf_counter()
        weights = Weights.of(written.path / WEIGHTS)
        again = prove(subject, opset=18, evaluate=4, files=files, weights=weights, one_file=one_file)
        said(f"the files proved again: {again.verdict.status}", start)
    print("\n".join(lines))
    versions = f"torch {torch.__version__}, onnx {onnx.__version__}, numpy {np.__version__}"
    if layers == LAYERS:
        OUT.write_text("\n".join([*lines, "", versions]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
