"""A model of more than 2 GB, exported and proved: what lies beside its graphs, how long it takes, how much memory.

python benchmarks/large_model.py [HIDDEN]       writes benchmarks/large_model.txt; 16 GB of memory are needed

The model is made large: one hidden layer of 700,000 units on digits of 28 pixels.  With a smaller HIDDEN the limit of
one file is lowered, and nothing is written.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

import zoo
from zoo.api.problem import ImageInput, Problem
from zoo.bundle.runtime.bundle import Bundle, verify_bundle
from zoo.bundle.runtime.external_data import MAX_ONNX_BYTES, WEIGHTS, Weights
from zoo.bundle.runtime.manifest import LineageRecord, PluginRecord
from zoo.bundle.runtime.predict import predict_bundle
from zoo.bundle.runtime.safety.scan import demand_safe
from zoo.registry.catalog import Catalog
from zoo_export.bundle.write import write
from zoo_export.proof.prove import prove
from zoo_export.subject.state_dict import state_bytes, state_sha256
from zoo_export.subject.subject import Subject

HIDDEN = 700_000
DIGITS = tuple("0123456789")
OUT = Path(__file__).with_suffix(".txt")


class Huge(nn.Module):
    """float32 [n, 1, 28, 28] -> logits [n, 10]."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(784, hidden)
        self.head = nn.Linear(hidden, 10)

    def forward(self, image: Tensor) -> Tensor:
        """The logits."""
        logits: Tensor = self.head(torch.relu(self.hidden(image.flatten(1))))
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


def peak_gb() -> tuple[float, float]:
    """Of this process, and of the largest of the runtime's processes that ended, in GB."""
    kinds = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    own, children = (resource.getrusage(kind).ru_maxrss / 1e6 for kind in kinds)
    return own, children


def main() -> None:
    """Export, verify, predict, and prove the files again."""
    hidden = int(sys.argv[1]) if len(sys.argv) > 1 else HIDDEN
    one_file = MAX_ONNX_BYTES if hidden == HIDDEN else 1_000_000
    torch.manual_seed(0)
    subject = subject_of(Huge(hidden).eval())
    lines = [f"{state_bytes(subject.module):,} bytes of parameters"]

    def said(what: str, start: float) -> None:
        own, runtime = peak_gb()
        lines.append(
            f"{what:<34}{time.perf_counter() - start:7.0f} s   peak so far {own:5.1f} GB + {runtime:4.1f} GB (runtime)"
        )
        print(lines[-1], flush=True)

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        proof = prove(subject, opset=18, evaluate=4, one_file=one_file, progress=lambda text: print(text, flush=True))
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
    versions = f"torch {torch.__version__}, onnx {onnx.__version__}, numpy {np.__version__}, zoo {zoo.__version__}"
    if hidden == HIDDEN:
        OUT.write_text("\n".join([*lines, "", versions]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
