"""The tiny classifier for pictures of one size and for batches: proved, written, answered, and mutated."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import onnx
import pytest
from PIL import Image

import zoo
from tests.conftest import Said
from tests.zoo_export.conftest import subject_of, tiny
from zoo import IMAGE, Port, Signature
from zoo.api.errors import Refused, UsageError
from zoo.bundle.benchmark import benchmark
from zoo.bundle.judge.form_rule import WantedForms, judge_form
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.bundle import Bundle, verify_bundle
from zoo.bundle.sandbox.runtime import Runtime
from zoo_export.bundle.form import Form
from zoo_export.bundle.write import write
from zoo_export.capture.capture import PIPELINE
from zoo_export.proof.prove import Proof
from zoo_export.variants.batch import batch_pictures, batch_proof, run_batches
from zoo_export.variants.batch_graph import batch_signature
from zoo_export.variants.fixed_size import check_takes_pictures, fixed_subject
from zoo_export.variants.form_mutants import batch_mutations
from zoo_export.variants.forms import check_forms, make_forms

FIXED, BATCH = f"variants/fixed-17x23/{PIPELINE}", f"variants/batch/{PIPELINE}"


@pytest.fixture(scope="module")
def batch(proof: Proof) -> Form:
    return make_forms(proof, WantedForms(batch=True), golden_of_users=True)[0]


def test_a_batch_is_proved_picture_by_picture(batch: Form) -> None:
    evidence = batch.evidence
    assert batch.verdict.sentence == "proved"
    assert evidence.batches == (1, 2, 3, 8, 65)
    assert evidence.inputs == {"images": ("batch", "height", "width", 3)}
    assert evidence.signature is not None and evidence.signature.outputs[0].shape == ("batch", 4)
    assert not evidence.other_weights and len(evidence.mutants) == 8
    assert all(mutant.killed_by for mutant in evidence.mutants)
    assert evidence.proof is not None and len(evidence.proof.graphs[0].cases) == 1 + 2 + 3 + 8 + 65 + 1 + 2 + 3


def test_the_model_runs_once_for_all_pictures(batch: Form) -> None:
    model = onnx.ModelProto.FromString(batch.files[BATCH])
    assert [node.name for node in model.graph.node if node.op_type == "Scan"] == ["preprocess", "postprocess"]
    assert sum(node.op_type == "Conv" for node in model.graph.node) == 1
    assert [value.name for value in model.graph.input] == ["images"]


def test_a_mutant_of_a_batch_pipeline_is_refused(proof: Proof, batch: Form, runtime: Runtime) -> None:
    mutant = onnx.ModelProto.FromString(batch.files[BATCH])
    next(iter(batch_mutations(mutant))).edit(mutant)  # the order reversed
    assert batch.evidence.signature is not None and batch.evidence.file is not None
    pictures = batch_pictures(proof, runtime)
    measured = run_batches(
        mutant.SerializeToString(), batch.evidence.signature, pictures, proof, runtime, sizes=(1, 2, 3)
    )
    sha256 = measured.run.file.sha256
    mutated = replace(
        batch.evidence,
        file=replace(batch.evidence.file, sha256=sha256),
        proof=batch_proof(measured, proof, name=BATCH),
    )
    verdict = judge_form(mutated, published={**proof.exported.sha256, BATCH: sha256})
    failed = {gate.name: gate.detail for gate in verdict.gates if gate.status == Status.FAIL}
    assert list(failed) == ["pipeline"] and "1 of 2" in failed["pipeline"]


def test_what_has_no_batch_pipeline_is_told_why() -> None:
    boxes = Signature(inputs=(IMAGE,), outputs=(Port(name="boxes", dtype="float32", shape=("n", 4)),))
    texts = Signature(
        inputs=(Port(name="tokens", dtype="int64", shape=("batch", "length")),),
        outputs=(Port(name="probabilities", dtype="float32", shape=("batch", 2)),),
    )
    with pytest.raises(Refused, match="how many boxes there are differs from picture to picture") as refused:
        batch_signature(cast("Any", SimpleNamespace(model="m", pipeline_signature=boxes, signature=boxes)))
    assert refused.value.hint == "run pipeline.onnx picture by picture, or model.onnx on the whole batch"
    with pytest.raises(Refused, match=r"its pipeline\.onnx takes batches already \(tokens\)"):
        batch_signature(cast("Any", SimpleNamespace(model="m", pipeline_signature=texts, signature=texts)))


def test_pictures_that_a_model_does_not_take_are_refused(proof: Proof) -> None:
    subject = subject_of(tiny())
    object.__setattr__(subject, "problem", replace(subject.problem, input=replace(subject.problem.image, resize=None)))
    example = proof.inputs.raw[0].inputs
    fixed = fixed_subject(subject, {"height": 17, "width": 23}, example)
    assert fixed.pipeline_signature.inputs[0].shape == (17, 23, 3)
    assert fixed.signature.inputs[0].shape == ("batch", 3, 12, 12)


def test_one_size_of_texts_is_refused_before_they_are_proved(zoo_command: Any) -> None:
    said: Said = zoo_command("export", "gru@names", "--fixed-size", "16")
    assert (said.code, "capturing" in said.err) == (2, False)
    words = (
        "--fixed-size is for models that take pictures, and rnn/gru takes tokens ['batch', 'length'], lengths ['batch']"
    )
    assert words in said.err and "say its own length in lengths" in said.err
    noise = Signature(inputs=(Port(name="noise", dtype="float32", shape=("batch", 8)),), outputs=())
    with pytest.raises(UsageError, match=r"m takes noise \['batch', 8\]") as refused:
        check_takes_pictures(cast("Any", SimpleNamespace(model="m", pipeline_signature=noise)))
    assert refused.value.hint == "leave --fixed-size out"


def test_sizes_that_nobody_can_prove_are_bad_usage(zoo_command: Any) -> None:
    with pytest.raises(UsageError, match="a side has 1 to 8,192 pixels"):
        check_forms(WantedForms(fixed_sizes=((8_193, 4),)))
    said: Said = zoo_command("export", "cnn@digits", "--fixed-size", "40by56")
    assert (said.code, "--fixed-size is '40by56'; it must look like 224 or 192x256" in said.err) == (2, True)


# --- in a bundle ---


@pytest.fixture(scope="module")
def written(proof: Proof, batch: Form, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with both; the proof for one size is another whole proof."""
    fixed = make_forms(proof, WantedForms(fixed_sizes=((17, 23),)), golden_of_users=True)
    folder = tmp_path_factory.mktemp("forms") / "b"
    write(proof, folder, reproduce=[], forms=(*fixed, batch))
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Seven pictures of three sizes."""
    folder, rng = tmp_path / "pictures", np.random.default_rng(0)
    folder.mkdir()
    for index, (height, width) in enumerate([(12, 12), (12, 12), (17, 23), (12, 12), (9, 8), (12, 12), (17, 23)]):
        Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)).save(folder / f"{index}.png")
    return folder


def run(bundle: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(bundle / "run.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_bundle_holds(written: Path) -> None:
    checked = verify_bundle(written)
    assert checked.holds, [gate for gate in checked.gates if gate.status != Status.PASS]
    gates = {gate.name: gate.detail for gate in checked.gates}
    assert "this device reproduces all 4 golden cases" in gates["variant fixed-17x23"]
    assert gates["variant batch"].startswith("proved; this device reproduces all 2")
    assert "variant.py" in gates["code"]
    page = (written / "report.html").read_text()
    assert "fixed-17x23, in the bundle" in page and "batch, in the bundle" in page
    fixed = onnx.load(written / FIXED)
    assert [dim.dim_value for dim in fixed.graph.input[0].type.tensor_type.shape.dim] == [17, 23, 3]


@pytest.mark.slow
def test_a_batch_answers_as_picture_by_picture(written: Path, pictures: Path) -> None:
    for options in ((), ("--json",)):
        alone = run(written, *options, str(pictures))
        together = run(written, *options, "--batch-size", "3", str(pictures))
        assert (together.returncode, together.stdout) == (0, alone.stdout), together.stderr


@pytest.mark.slow
def test_a_picture_of_another_size_is_one_sentence(written: Path, pictures: Path, zoo_command: Any) -> None:
    done = run(written, "--variant", "fixed-17x23", str(pictures / "2.png"), str(pictures / "4.png"))
    assert done.returncode == 2 and done.stdout.startswith(f"{pictures / '2.png'}:")
    words = "its image is 9x8, and the variant fixed-17x23 takes 17x23 (height x width)"
    assert done.stderr.startswith(f"{pictures / '4.png'}: {words}")
    said: Said = zoo_command("predict", str(written), str(pictures), "--variant", "fixed-17x23", "--json")
    assert said.code == 2
    assert [words in row.get("unreadable", "") for row in said.json["answers"]] == [False] * 4 + [True] + [False] * 2


@pytest.mark.slow
def test_predict_answers_batches(written: Path, pictures: Path, zoo_command: Any) -> None:
    alone: Said = zoo_command("predict", str(written), str(pictures), "--json")
    together: Said = zoo_command("predict", str(written), str(pictures), "--json", "--batch-size", "3")
    assert together.json == alone.json and len(alone.json["answers"]) == 7
    in_python = zoo.predict(written, pictures, batch_size=3)
    assert [answer.record() for answer in in_python] == alone.json["answers"]
    (fixed,) = zoo.predict(written, pictures / "2.png", variant="fixed-17x23")
    assert fixed.record() == alone.json["answers"][[answer.title for answer in in_python].index(fixed.title)]


@pytest.mark.slow
def test_each_is_measured_beside_fp32_on_its_own_pictures(written: Path, zoo_command: Any) -> None:
    measured = benchmark(Bundle.open(written), variants=("fixed-17x23", "batch"), seconds=0.1)
    names = {subject.name: subject.baseline for subject in measured.subjects}
    assert names["fixed-17x23"] == "fp32 for fixed-17x23" in names
    assert names["batch"] == "fp32 for batch" in names
    said: Said = zoo_command("bench", str(written), "--variant", "fixed-17x23", "--batch", "4")
    assert (said.code, "takes one picture at a time" in said.err) == (2, True)


@pytest.mark.slow
def test_inspect_names_the_variants_and_what_speaks_against_their_graphs(
    written: Path, tmp_path: Path, zoo_command: Any
) -> None:
    said: Said = zoo_command("inspect", str(written))
    told = [line.split(maxsplit=1)[1] for line in said.out.splitlines() if line.startswith("variant ")]
    assert said.code == 0 and [line.split(":")[0] for line in told] == ["fixed-17x23", "batch"]
    assert all(line.split(": ")[1].startswith("proved") for line in told)
    bundle = Path(shutil.copytree(written, tmp_path / "b"))
    graph = onnx.load(bundle / FIXED)
    graph.graph.node[0].domain = "elsewhere"
    onnx.save(graph, bundle / FIXED)
    said = zoo_command("inspect", str(bundle), "--json")
    refused = {entry["file"]: entry["refused"] for entry in said.json["variants"]}
    assert said.code == 1 and len(refused[FIXED]) == 1 and "elsewhere" in refused[FIXED][0]
    assert said.json["refused"] == [] == refused["variants/batch/pipeline.onnx"]
    assert said.json["changed"] == [FIXED]
    (bundle / "model.onnx").unlink()
    said = zoo_command("inspect", str(bundle))
    assert [line.split()[1] for line in said.out.splitlines() if line.startswith("changed ")] == [
        "model.onnx:",
        f"{FIXED}:",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("change", ["another graph", "record", "runner"])
def test_a_changed_variant_does_not_hold(written: Path, tmp_path: Path, change: str) -> None:
    bundle = Path(shutil.copytree(written, tmp_path / "b"))
    if change == "another graph":
        shutil.copyfile(bundle / PIPELINE, bundle / FIXED)
    elif change == "runner":
        (bundle / "variant.py").write_text("print('another')\n")
    else:
        manifest = json.loads((bundle / "manifest.json").read_text())
        manifest["variants"][1]["signature"]["inputs"][0]["name"] = "image"
        (bundle / "manifest.json").write_text(json.dumps(manifest))
    assert not verify_bundle(bundle).holds


def test_a_bundle_without_one_names_the_command(proof: Proof, tmp_path: Path, zoo_command: Any) -> None:
    write(proof, tmp_path / "b", reproduce=[])
    assert not (tmp_path / "b" / "variant.py").exists()
    done = run(tmp_path / "b", "--batch-size", "2", "a.png")
    words = "this bundle has no pipeline for batches; zoo export TARGET --onnx --batch adds one\n"
    assert (done.returncode, done.stderr) == (2, words)
    Image.new("RGB", (4, 3)).save(tmp_path / "a.png")
    said: Said = zoo_command("predict", str(tmp_path / "b"), str(tmp_path / "a.png"), "--batch-size", "2")
    assert said.code == 2 and "no pipeline for batches" in said.err
