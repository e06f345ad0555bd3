"""A model of more bytes than one file holds: its weights lie beside its graphs, are hashed, and proved like others.

The limit is handed down, so that a small model stands for a large one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from tests.bundle.runtime.engines import runtime
from tests.bundle.runtime.test_bundle import relist
from tests.zoo_export.conftest import subject_of
from zoo.api.errors import BadFile, HashMismatch, Refused
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.onnx_file.external_data import WEIGHTS, Weights
from zoo.bundle.onnx_file.safety.scan import demand_safe, scan
from zoo.bundle.runtime.bundle import Bundle, verify_bundle
from zoo.bundle.runtime.diff import differences
from zoo.bundle.runtime.predict import predict_bundle
from zoo.bundle.sandbox.runtime import Runtime
from zoo_export.bundle.write import write
from zoo_export.capture.torch_export import check_size
from zoo_export.proof.prove import Proof, prove
from zoo_export.subject.results import Failed
from zoo_export.verify.other_runtime import judge_runtimes
from zoo_export.verify.rederive import rederive


class Wide(nn.Module):
    """float32 [n, 3, 12, 12] -> [n, 4] through a wide layer, whose weights are hundreds of kilobytes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.wide = nn.Linear(600, 300)
        self.head = nn.Linear(300, 4)

    def forward(self, image: Tensor) -> Tensor:
        """The logits."""
        features = torch.relu(self.wide(torch.relu(self.conv(image)).flatten(1)))
        logits: Tensor = self.head(features)
        return logits


def wide() -> Wide:
    torch.manual_seed(1)
    return Wide().eval()


@pytest.fixture(scope="module")
def large() -> Proof:
    """Proved with its weights beside its graphs."""
    return prove(subject_of(wide()), opset=18, one_file=1000)


@pytest.fixture
def bundle(large: Proof, tmp_path: Path) -> Path:
    return write(large, tmp_path / "bundle", reproduce=("zoo export x --onnx",)).path


def statuses(path: Path) -> dict[str, tuple[Status, str]]:
    return {gate.name: (gate.status, gate.detail) for gate in verify_bundle(path).gates}


def test_all_gates_pass_and_most_mutants_are_of_the_graph_alone(large: Proof) -> None:
    assert large.verdict.publishes, large.verdict.sentence
    assert large.exported.weights is not None
    assert large.exported.weights.bytes > 700_000
    assert all(len(data) < 30_000 for data in large.exported.files.values())
    mutants = {mutant.name: mutant for mutant in large.evidence.mutants if mutant.applied}
    assert {"weight", "scale"} <= mutants.keys()
    assert all(mutant.killed_by for mutant in mutants.values())
    assert large.evidence.lineage is not None
    assert large.evidence.lineage.equal == large.evidence.lineage.total == 6


def test_the_answers_are_those_of_one_file(large: Proof) -> None:
    alone = prove(subject_of(wide()), opset=18)
    assert alone.exported.weights is None
    for one, beside in zip(alone.answers, large.answers, strict=True):
        assert not isinstance(one, Failed)
        assert not isinstance(beside, Failed)
        np.testing.assert_allclose(beside["probabilities"], one["probabilities"], rtol=1e-6)


def test_another_runtime_is_refused_with_the_cure_and_the_bundle_is_published(large: Proof, tmp_path: Path) -> None:
    judged = judge_runtimes(large, (runtime("Evaluator"),), evaluate=0)
    assert "its weights lie beside its graphs" in judged[0].verdict.sentence
    assert "`zoo verify BUNDLE --runtime acme` puts the golden cases to it" in judged[0].verdict.sentence
    written = write(large, tmp_path / "b", reproduce=("zoo export",), runtimes=judged, keep_anyway=True)
    assert (written.published, [report.published for report in written.report.runtimes]) == (True, [False])


def test_the_bundle_holds_one_file_for_both_graphs(bundle: Path, large: Proof) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    file = next(file for file in manifest["files"] if file["name"] == WEIGHTS)
    assert (file["role"], file["bytes"]) == ("weights", (bundle / WEIGHTS).stat().st_size)
    for name in ("model.onnx", "pipeline.onnx"):
        model = onnx.load(bundle / name, load_external_data=False)
        places = {e.value for t in model.graph.initializer for e in t.external_data if e.key == "location"}
        assert places == {WEIGHTS}
        demand_safe(bundle / name)
    assert verify_bundle(bundle).holds
    assert rederive(Bundle.open(bundle), large)[0] == Status.PASS
    (answer,) = predict_bundle(Bundle.open(bundle), [large.inputs.raw[0].inputs])
    assert answer["probabilities"].tolist() == large.answers[0]["probabilities"].tolist()  # type: ignore[index]


def test_the_device_finds_the_weights(bundle: Path) -> None:
    command = [sys.executable, "run.py", "--self-test"]
    said = subprocess.run(command, cwd=bundle, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout.startswith("self-test passed")) == (0, True), said.stdout + said.stderr


def test_the_files_are_proved_anew(bundle: Path, large: Proof) -> None:
    files = {name: (bundle / name).read_bytes() for name in large.exported.files}
    again = prove(large.subject, opset=18, files=files, weights=Weights.of(bundle / WEIGHTS), one_file=1000)
    assert again.verdict.publishes, again.verdict.sentence


def flipped(path: Path, at: int = 5000) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 0x80
    path.write_bytes(raw)


def test_changed_weights_are_told(bundle: Path, large: Proof) -> None:
    flipped(bundle / WEIGHTS, 3)
    assert statuses(bundle)["files"] == (
        Status.FAIL,
        f"{WEIGHTS} was changed: its bytes are not those that the manifest names",
    )
    with pytest.raises(HashMismatch):
        list(predict_bundle(Bundle.open(bundle), [large.inputs.raw[0].inputs]))
    relist(bundle, WEIGHTS)
    status, detail = statuses(bundle)["proof"]
    assert (status, f"{WEIGHTS}: the bytes measured are not the bytes to be published" in detail) == (Status.FAIL, True)
    files = {name: (bundle / name).read_bytes() for name in large.exported.files}
    again = prove(large.subject, opset=18, files=files, weights=Weights.of(bundle / WEIGHTS), one_file=1000)
    assert "lineage: " in again.verdict.sentence


def hard_linked(bundle: Path) -> None:
    os.link(bundle / WEIGHTS, bundle.parent / "other")


def symbolic(bundle: Path) -> None:
    (bundle / WEIGHTS).rename(bundle.parent / "elsewhere")
    (bundle / WEIGHTS).symlink_to(bundle.parent / "elsewhere")


def missing(bundle: Path) -> None:
    (bundle / WEIGHTS).unlink()


def shorter(bundle: Path) -> None:
    (bundle / WEIGHTS).write_bytes((bundle / WEIGHTS).read_bytes()[:-100])


def entry(key: str, value: str) -> Callable[[Path], None]:
    def edit(bundle: Path) -> None:
        model = onnx.load(bundle / "model.onnx", load_external_data=False)
        tensor = next(tensor for tensor in model.graph.initializer if tensor.external_data)
        next(entry for entry in tensor.external_data if entry.key == key).value = value
        (bundle / "model.onnx").write_bytes(model.SerializeToString())

    return edit


HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "hard link": (hard_linked, "is a hard link to a file that has another name too"),
    "symbolic link": (symbolic, "is a symbolic link"),
    "missing": (missing, "is missing"),
    "shorter": (shorter, "lies beyond the"),
    "another folder": (entry("location", "../model.onnx.data"), "is no name of a file beside it"),
    "absolute": (entry("location", "/etc/passwd"), "is no name of a file beside it"),
    "a second file": (entry("location", "run.py"), "is one of several files"),
    "beyond the end": (entry("offset", str(1 << 40)), "lies beyond the"),
    "before the start": (entry("offset", "-8"), "it cannot"),
    "no number": (entry("offset", "first"), "does not say where"),
    "of another length": (entry("length", "8"), "it cannot"),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_weights_anywhere_else_are_refused(bundle: Path, how: str) -> None:
    edit, reason = HOSTILE[how]
    edit(bundle)
    assert any(reason in sentence for sentence in scan(bundle / "model.onnx").refused)


@pytest.mark.parametrize("how", ["another folder", "absolute", "a second file", "beyond the end"])
def test_a_graph_in_a_bundle_reads_the_listed_weights_alone(bundle: Path, how: str) -> None:
    HOSTILE[how][0](bundle)
    relist(bundle, "model.onnx")
    with pytest.raises(BadFile, match=r"model\.onnx (keeps weights in|says that)"), Runtime() as runtime:
        Bundle.open(bundle).session(runtime, "model.onnx")


def test_weights_that_the_manifest_does_not_list_are_not_read(bundle: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["files"] = [file for file in manifest["files"] if file["name"] != WEIGHTS]
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    assert statuses(bundle)["files"] == (Status.FAIL, f"{WEIGHTS} is not in the manifest")
    with pytest.raises(BadFile, match="External data path"), Runtime() as runtime:
        Bundle.open(bundle).session(runtime, "model.onnx")


def test_two_bundles_are_compared(bundle: Path) -> None:
    other = Path(shutil.copytree(bundle, bundle.parent / "other"))
    assert list(differences(bundle, other)) == []
    flipped(other / WEIGHTS, 7)
    assert any(change.part == "weights" for change in differences(bundle / "model.onnx", other / "model.onnx"))


def test_a_model_beyond_all_limits_is_refused() -> None:
    check_size(wide(), name="wide")
    with pytest.raises(Refused, match="has 726,688 bytes of parameters, and zoo exports up to 700,000"):
        check_size(wide(), name="wide", largest=700_000)
