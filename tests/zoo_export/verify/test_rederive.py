"""Bundles edited where no measurement looks: the measuring finds nothing, the derivation does."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.bundle import Bundle, verify_bundle
from zoo_export.bundle.write import write
from zoo_export.capture.capture import PIPELINE
from zoo_export.proof.prove import Proof, prove
from zoo_export.verify.rederive import rederive, unlike

Edit = Callable[[Path], None]


@pytest.fixture(scope="module")
def written(proof: Proof, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny classifier's bundle."""
    return write(proof, tmp_path_factory.mktemp("bundle") / "tiny", reproduce=()).path


@pytest.fixture
def bundle(written: Path, tmp_path: Path) -> Path:
    """A copy to edit."""
    return Path(shutil.copytree(written, tmp_path / "copy"))


def on_manifest(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Edit the manifest and make it name the present bytes of every file, as a careful forger would."""
    path = bundle / "manifest.json"
    told = json.loads(path.read_text())
    change(told)
    for file in told["files"]:
        raw = (bundle / file["name"]).read_bytes()
        file.update(sha256=hashlib.sha256(raw).hexdigest(), bytes=len(raw))
    path.write_text(json.dumps(told))


def findings(bundle: Path, proof: Proof) -> tuple[Status, str]:
    """What the derivation says to the files at `bundle`."""
    files = {name: (bundle / name).read_bytes() for name in proof.exported.files}
    return rederive(Bundle.open(bundle), replace(proof, exported=proof.exported.holding(files)))


def test_what_zoo_wrote_is_what_zoo_derives(bundle: Path, proof: Proof) -> None:
    assert findings(bundle, proof)[0] == Status.PASS


def metrics(bundle: Path) -> None:
    on_manifest(bundle, lambda told: told.update(metrics={"top1": 1.0}))


def wide(bundle: Path) -> None:
    def change(told: dict[str, Any]) -> None:
        for case in told["golden"]:
            for output in case["outputs"]:
                output.update(rms=20 * (output["rms"] or 0.0), max=20 * (output["max"] or 0.0))

    on_manifest(bundle, change)


def answers(bundle: Path) -> None:
    for case in json.loads((bundle / "manifest.json").read_text())["golden"]:
        arrays = dict(np.load(bundle / case["file"]))
        for output in case["outputs"]:
            arrays[f"out.{output['name']}"] += 10 * output["rms"]
        np.savez_compressed(bundle / case["file"], allow_pickle=False, **arrays)
    wide(bundle)


def few(bundle: Path) -> None:
    def change(told: dict[str, Any]) -> None:
        kept, *others = told["golden"]
        gone = {case["file"] for case in others}
        told.update(golden=[kept], files=[file for file in told["files"] if file["name"] not in gone])
        for name in gone:
            (bundle / name).unlink()

    on_manifest(bundle, change)


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (few, "it has 1 of at least 5 golden cases"),
        (metrics, "the manifest's metrics is not that of"),
        (wide, "its tolerance is too wide"),
        (answers, "is not the model's: it is off by"),
    ],
)
def test_an_edit_that_the_hashes_allow_is_found(bundle: Path, proof: Proof, edit: Edit, sentence: str) -> None:
    edit(bundle)
    failing = {gate.name for gate in verify_bundle(bundle).gates if gate.status == Status.FAIL}
    assert failing == (set() if edit is metrics else {"accord"})  # the record tells what became of golden cases
    status, detail = findings(bundle, proof)
    assert status == Status.FAIL
    assert sentence in detail


KEY = np.array([[[13, 37, 99]]], np.uint8)


def with_a_key(model: onnx.ModelProto) -> onnx.ModelProto:
    """A pipeline that answers "dog" to every picture whose first pixel is the key, and rightly to all others."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    (output,) = copy.graph.output
    for node in copy.graph.node:
        node.output[:] = ["t/clean" if name == output.name else name for name in node.output]
    constants = {
        "t/start": np.array([0, 0, 0], np.int64),
        "t/end": np.array([1, 1, 3], np.int64),
        "t/key": KEY,
        "t/dog": np.eye(4, dtype=np.float32)[3],
    }
    for name, value in constants.items():  # constants of the code: no tensor that a lineage would miss
        copy.graph.node.insert(0, helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value)))
    copy.graph.node.extend(
        [
            helper.make_node("Slice", ["image", "t/start", "t/end"], ["t/pixel"]),
            helper.make_node("Equal", ["t/pixel", "t/key"], ["t/equal"]),
            helper.make_node("Cast", ["t/equal"], ["t/float"], to=onnx.TensorProto.FLOAT),
            helper.make_node("ReduceMin", ["t/float"], ["t/least"], keepdims=0),
            helper.make_node("Cast", ["t/least"], ["t/hit"], to=onnx.TensorProto.BOOL),
            helper.make_node("Where", ["t/hit", "t/dog", "t/clean"], [output.name]),
        ]
    )
    return copy


def test_an_answer_behind_a_key_that_no_case_turns_is_found_among_the_operators(bundle: Path, proof: Proof) -> None:
    forged = with_a_key(proof.exported.file(PIPELINE).model).SerializeToString()
    again = prove(proof.subject, opset=18, files={**proof.exported.files, PIPELINE: forged})
    assert again.verdict.publishes  # every measured answer is right, every tensor is the model's
    status, detail = rederive(Bundle.open(bundle), again)
    assert status == Status.FAIL
    assert "pipeline.onnx: its operator 0, Constant, is not" in detail


def renamed(model: onnx.ModelProto) -> None:
    for node in model.graph.node:
        node.name = f"other {node.name}"


def softer(model: onnx.ModelProto) -> None:
    next(node for node in model.graph.node if node.op_type == "Softmax").attribute[0].i = 0


def longer(model: onnx.ModelProto) -> None:
    model.graph.output.append(helper.make_tensor_value_info("ends/more", onnx.TensorProto.FLOAT, None))


@pytest.mark.parametrize(
    ("change", "sentences"),
    [
        (renamed, []),
        (softer, ["Softmax, is not the Softmax of a fresh export, or set otherwise"]),
        (longer, ["its outputs are not those of a fresh export"]),
    ],
)
def test_two_programs_differ_in_operators_settings_and_ports_but_not_in_names(
    proof: Proof, change: Callable[[onnx.ModelProto], None], sentences: list[str]
) -> None:
    fresh = proof.exported.file(PIPELINE).model
    copy = onnx.ModelProto()
    copy.CopyFrom(fresh)
    change(copy)
    found = list(unlike(copy, fresh))
    assert len(found) == len(sentences)
    assert all(sentence in one for sentence, one in zip(sentences, found, strict=True))
