"""`zoo export --int8` of digits from end to end: verify, predict, run.py, bench, and bundles that were changed."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from tests.conftest import Said
from zoo.bundle.benchmark import benchmark
from zoo.bundle.profile import profile_graph
from zoo.bundle.runtime.bundle import Bundle, verify_bundle
from zoo_export.export import export
from zoo_export.verify.verify import verify_anew

pytestmark = pytest.mark.ci  # one proof, and a variant with its mutants

SEVEN = Path(__file__).parents[2] / "docs" / "pictures" / "seven.png"


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of cnn@digits with an int8 variant."""
    folder = tmp_path_factory.mktemp("digits") / "b"
    written = export("cnn@digits", output=folder, variants=("int8",), evaluate=120)
    assert [record.name for record in written.variants] == ["int8"], written.report.variants[0].sentence
    return folder


@pytest.fixture
def changed(digits: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(digits, tmp_path / "b"))


def test_the_variant_is_whole(digits: Path) -> None:
    checked = verify_bundle(digits)
    assert checked.holds, [gate for gate in checked.gates if gate.status != "PASS"]
    variant = next(gate for gate in checked.gates if gate.name == "variant int8")
    assert "this device reproduces all" in variant.detail
    record = Bundle.open(digits).manifest.variant("int8")
    assert record.bytes < 0.5 * (digits / "pipeline.onnx").stat().st_size
    assert record.metrics["top1"] > 0.95
    assert record.claims[0] == "smaller"


def test_preprocessing_and_postprocessing_stay_as_they_are(digits: Path) -> None:
    def outside(path: Path) -> list[tuple[str, tuple[str, ...]]]:
        nodes = onnx.load(str(path)).graph.node
        return [(node.op_type, tuple(node.output)) for node in nodes if node.name.startswith("ends/")]

    around = outside(digits / "pipeline.onnx")
    assert len(around) > 20
    assert outside(digits / "variants" / "int8" / "pipeline.onnx") == around


def test_it_answers_like_the_bundle(digits: Path, zoo_command: Callable[..., Said]) -> None:
    said = zoo_command("predict", str(digits), str(SEVEN), "--variant", "int8", "--json")
    assert (said.code, said.json["answers"][0]["classes"][0]["name"] if said.code == 0 else "") == (0, "7")


def test_an_unknown_variant_is_one_sentence(digits: Path, zoo_command: Callable[..., Said]) -> None:
    said = zoo_command("predict", str(digits), str(SEVEN), "--variant", "int4")
    assert (said.code, "has no variant int4; it has int8" in said.err) == (2, True)
    said = zoo_command("predict", "cnn@digits", str(SEVEN), "--variant", "int8")
    assert (said.code, "--variant is for bundles" in said.err) == (2, True)


def test_the_runner_answers_and_tests_itself(digits: Path) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        command = [sys.executable, str(digits / "run.py"), *arguments]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        return said.returncode, said.stdout, said.stderr

    code, out, _ = run("--variant", "int8", str(SEVEN))
    assert code == 0 and " 7" in out
    code, out, _ = run("--self-test", "--variant", "int8")
    assert code == 0 and "self-test passed" in out
    assert run("--self-test")[0] == 0
    code, _, err = run("--variant", "fp16", str(SEVEN))
    assert code == 2 and err == "this bundle has no variant fp16; it has int8\n"
    assert run("--variant")[0] == 2


def test_the_boot_test_looks_at_the_probe_and_one_golden_case(digits: Path) -> None:
    command = [sys.executable, str(digits / "selftest.py"), "--quick", "--variant", "int8"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    probe = "saturation, " if (digits / "variants" / "int8" / "saturation.onnx").exists() else ""
    assert (said.returncode, said.stdout.startswith(f"quick self-test passed: {probe}")) == (0, True)
    assert (digits / "labels.txt").read_text() == "".join(f"{digit}\n" for digit in range(10))


def test_a_changed_variant_is_not_run(changed: Path) -> None:
    path = changed / "variants" / "int8" / "pipeline.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    command = [sys.executable, str(changed / "run.py"), "--variant", "int8", str(SEVEN)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    words = "variants/int8/pipeline.onnx is missing or was changed: its bytes are not those that the manifest names\n"
    assert (said.returncode, said.stdout, said.stderr) == (2, "", words)


def test_a_profile_names_the_modules(digits: Path) -> None:
    cost = profile_graph(Bundle.open(digits), graph="pipeline.onnx", variant="int8", runs=2)
    modules = {module.module for module in cost.modules(2)}
    assert {"preprocess", "features.0", "features.3", "neck.1", "head"} <= modules


def test_an_exchanged_graph_is_seen(changed: Path, zoo_command: Callable[..., Said]) -> None:
    path = changed / "variants" / "int8" / "pipeline.onnx"
    model = onnx.load(str(path))
    scale = next(tensor for tensor in model.graph.initializer if tensor.name.endswith("_scale"))
    scale.raw_data = bytes(len(scale.raw_data))
    path.write_bytes(model.SerializeToString())
    said = zoo_command("verify", str(changed))
    assert (said.code, "variants/int8/pipeline.onnx was changed" in said.out) == (1, True)
    said = zoo_command("predict", str(changed), str(SEVEN), "--variant", "int8")
    sentence = f"{path} is missing or was changed: its sha256 is not the one in the manifest"
    assert (said.code, said.err.splitlines()) == (1, [f"Error: {sentence}", f"zoo verify {changed}"])


def resigned(bundle: Path, *names: str) -> None:
    """Manifest and record name the hashes of changed files, as a tool would write them that makes such files."""
    manifest, report = (json.loads((bundle / name).read_text()) for name in ("manifest.json", "report.json"))
    listed = {file["name"]: file for file in manifest["files"]}
    text = json.dumps(report)
    for name in names:
        digest = hashlib.sha256((bundle / name).read_bytes()).hexdigest()
        text = text.replace(listed[name]["sha256"], digest)
    (bundle / "report.json").write_text(text)
    for name in (*names, "report.json"):
        data = (bundle / name).read_bytes()
        listed[name].update(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
    (bundle / "manifest.json").write_text(json.dumps(manifest))


def test_weights_of_one_graph_alone_are_seen(changed: Path) -> None:
    """Two channels swapped in the pipeline: a golden case may miss it."""
    name = "variants/int8/pipeline.onnx"
    model = onnx.load(str(changed / name))
    tensor = next(t for t in model.graph.initializer if t.name == "features.3.weight_quantized")
    array = onnx.numpy_helper.to_array(tensor).copy()
    array[[4, 5]] = array[[5, 4]]
    tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    onnx.save(model, str(changed / name))
    resigned(changed, name)
    (variant,) = [gate for gate in verify_bundle(changed).gates if gate.name == "variant int8"]
    assert variant.status == "FAIL"
    assert "1 tensor of its pipeline.onnx and model.onnx differ: features.3.weight_quantized" in variant.detail
    again = verify_anew(changed, against="cnn@digits", explain=False, evaluate=120)
    gates = {gate.name: gate.status for gate in again.report.gates if gate.name.startswith("int8 ")}
    assert not again.proved
    assert {name for name, status in gates.items() if status == "FAIL"} == {"int8 pipeline"}
    assert {"int8 metric", "int8 weights", "int8 execution", "int8 record", "int8 golden cases"} <= set(gates)


def test_a_manifest_that_promises_more_is_seen(changed: Path) -> None:
    path = changed / "manifest.json"
    document = json.loads(path.read_text())
    document["variants"][0]["milliseconds"] /= 10
    document["variants"][0]["golden"][0]["outputs"][0]["max"] = 1.0
    path.write_text(json.dumps(document))
    variant = next(gate for gate in verify_bundle(changed).gates if gate.name == "variant int8")
    assert variant.status == "FAIL"
    assert "milliseconds is" in variant.detail and "golden cases of the manifest" in variant.detail


def test_a_bundle_without_the_variant_is_not_up_to_date(digits: Path, zoo_command: Callable[..., Said]) -> None:
    said = zoo_command("export", "cnn@digits", "--fp16", "-o", str(digits), "--evaluate", "120")
    assert (said.code, "without the variant fp16" in said.err) == (2, True)
    said = zoo_command("export", "cnn@digits", "--int8", "-o", str(digits), "--evaluate", "120")
    assert (said.code, "up to date" in said.out) == (0, True)
    said = zoo_command("export", "cnn@digits", "--int8", "--max-drop", "0", "-o", str(digits), "--evaluate", "120")
    assert (said.code, "holds the variant int8, made with the default budget" in said.err) == (2, True)


def test_bench_measures_both_in_turns(digits: Path) -> None:
    measured = benchmark(Bundle.open(digits), variants=("int8",), seconds=0.1)
    assert [subject.name for subject in measured.subjects] == ["fp32", "int8"]
    for subject in measured.subjects:
        assert len(subject.seconds) >= 5
        assert 0 < subject.percentile(50) <= subject.percentile(99)
        assert subject.first_seconds is not None and subject.first_seconds > subject.percentile(50)


def test_bench_says_what_it_cannot_do(digits: Path, zoo_command: Callable[..., Said]) -> None:
    said = zoo_command("bench", str(digits), "--variant", "int4")
    assert (said.code, "has no variant int4" in said.err) == (2, True)
    said = zoo_command("bench", str(digits), "--seconds", "nan")
    assert (said.code, "--seconds is no number" in said.err) == (2, True)
    said = zoo_command("bench", str(digits), "--graph", "pipeline", "--batch", "4")
    assert (said.code, "takes one item at a time" in said.err) == (2, True)


def test_options_that_do_not_go_together(zoo_command: Callable[..., Said]) -> None:
    said = zoo_command("export", "cnn@digits", "--untrained", "--int8")
    assert said.code == 2
    said = zoo_command("export", "cnn@digits", "--onnx", "--max-drop", "0.1")
    assert (said.code, "--max-drop and --keep-anyway are about variants" in said.err) == (2, True)
