"""`zoo export` and `zoo verify --against` from end to end, on a plugin with a tiny classifier and weights of it."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

import zoo
from tests.conftest import Said
from zoo.bundle.runtime.manifest import read_manifest

pytestmark = pytest.mark.ci  # each command is a whole training, export or proof

SOURCE = """
import zoo

@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="toy", task="image-classification", builder=f"{__name__}:toy", trainer="classification",
                        input=zoo.ImageInput(size=(8, 8), channels=3, mean=(0.5,), std=(0.25,)), licence="MIT")
    yield zoo.ModelSpec(name="stuck", task="image-classification", builder=f"{__name__}:toy", trainer="classification",
                        input=zoo.ImageInput(size=(8, 8)), export=zoo.ExportSpec(not_exportable="it is for tests"))
    yield zoo.ModelSpec(name="random", task="image-classification", builder=f"{__name__}:Sampling",
                        trainer="classification", input=zoo.ImageInput(size=(8, 8)))

def toy(*, num_classes):
    from torch import nn
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, num_classes))

def Sampling(*, num_classes):
    import torch
    from torch import nn

    class Noisy(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(192, num_classes)

        def forward(self, image):
            logits = self.head(image.flatten(1))
            return logits + torch.randn_like(logits)

    return Noisy()
"""


@pytest.fixture
def command(
    install_plugin: Callable[..., Path],
    zoo_command: Callable[..., Said],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Said]:
    """`zoo`, in an empty folder, with the toy plugin."""
    install_plugin("toys", SOURCE)
    monkeypatch.chdir(tmp_path)
    return zoo_command


def gates(document: Any) -> dict[str, str]:
    return {gate["name"]: gate["status"] for gate in document["gates"]}


def test_export_verify_and_once_more(command: Callable[..., Said], tmp_path: Path) -> None:
    said = command("export", "toy", "--untrained", "--onnx", "-o", "b", "--json")
    assert said.code == 0, said.err
    assert (said.json["verdict"], said.json["bundle"]) in {("PASS", "b"), ("WARN", "b")}
    manifest, sha256 = (file := read_manifest(tmp_path / "b")).manifest, file.sha256
    assert said.json["sha256"] == sha256
    assert {file["name"] for file in said.json["files"]} == set(manifest.hashes())
    assert {"model.onnx", "pipeline.onnx", "report.json", "report.html", "run.py", "task.py"} <= set(manifest.hashes())
    assert (manifest.model, manifest.licences, manifest.opset) == ("toys/toy", {"code": "MIT"}, 18)
    assert not manifest.lineage.target
    assert manifest.lineage.weights.startswith("random weights (seed 0")
    assert sum(len((tmp_path / "b" / name).read_text().splitlines()) for name in ("run.py", "task.py")) <= 300

    assert command("verify", "b").code == 0
    again = command("export", "toy", "--untrained", "--onnx", "-o", "b")
    assert again.code == 0
    assert "b (up to date)" in again.out
    other = command("export", "toy", "--untrained", "--seed", "1", "--onnx", "-o", "b")
    assert other.code == 2
    assert "b exists already and is no proved bundle of this checkpoint" in other.err
    assert read_manifest(tmp_path / "b").sha256 == sha256

    anew = command("verify", "b", "--against", "toy", "--json")
    assert anew.code == 0, anew.err
    assert set(gates(anew.json).values()) <= {"PASS", "WARN"}


@pytest.mark.ci
def test_a_model_that_is_not_proved_publishes_nothing_but_its_report(
    command: Callable[..., Said], tmp_path: Path
) -> None:
    said = command("export", "random", "--untrained", "--onnx", "-o", "b")
    assert said.code == 1
    assert "nothing was published; the report is b-report/report.html" in said.out
    assert not (tmp_path / "b").exists()
    report = json.loads((tmp_path / "b-report" / "report.json").read_text())
    assert report["verdict"] == "FAIL"

    allowed = command("export", "random", "--untrained", "--onnx", "-o", "b", "--allow-unproved", "--json")
    assert (allowed.code, allowed.json["verdict"]) == (0, "unproved")
    verified = command("verify", "b")
    assert verified.code == 1
    # this model answers at random: its golden cases may or may not be reproduced
    assert "published without a proof" in verified.out


def _mutate(path: Path) -> None:
    model = onnx.load(path)
    tensor = max(model.graph.initializer, key=lambda one: int(np.prod(one.dims)) if one.data_type == 1 else 0)
    values = numpy_helper.to_array(tensor).copy()
    values.flat[5] *= np.float32(1.5)
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    onnx.save(model, path)


@pytest.mark.ci
def test_explain_names_the_module_of_the_first_wrong_tensor(command: Callable[..., Said], tmp_path: Path) -> None:
    assert command("export", "toy", "--untrained", "--onnx", "-o", "b").code == 0
    _mutate(tmp_path / "b" / "model.onnx")
    assert command("verify", "b").code == 1
    said = command("verify", "b", "--against", "toy", "--explain", "--json")
    assert said.code == 1
    assert (gates(said.json)["files"], gates(said.json)["parity"], gates(said.json)["lineage"]) == ("FAIL",) * 3
    first = said.json["divergence"][0]
    assert "made by 3:" in first or "made by 3 " in first, first  # the linear layer


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("toy", "--onnx"), 2, "toy alone is a bare architecture"),
        (("toy", "--untrained"), 2, "zoo export needs a format"),
        (("--onnx",), 2, "there is no run in runs to take"),
        (("nothing", "--onnx"), 2, "no model named 'nothing'"),
        (("toy", "--untrained", "--onnx", "--opset", "13"), 2, "opset 13 is not supported"),
        (("toy", "--untrained", "--onnx", "--input-size", "0"), 2, "it must look like 224 or 192x256"),
        (("toy", "--untrained", "--onnx", "--evaluate", "-1"), 2, "--evaluate is -1"),
        (("stuck", "--untrained", "--onnx"), 1, "stuck is not exportable: it is for tests"),
        (("toy", "--untrained", "--onnx", "-o", "taken"), 2, "taken is a file"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(
    command: Callable[..., Said], tmp_path: Path, words: tuple[str, ...], code: int, sentence: str
) -> None:
    (tmp_path / "taken").write_text("mine")
    said = command("export", *words)
    assert (said.code, sentence in said.err) == (code, True), said.err
    assert (tmp_path / "taken").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("taken", "site-packages")] == []


@pytest.mark.parametrize("folder", ["photos", "b-report"])
def test_a_folder_that_is_no_bundle_is_never_replaced(
    command: Callable[..., Said], tmp_path: Path, folder: str
) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "1.jpg").write_text("mine")
    place = "photos" if folder == "photos" else "b"
    said = command("export", "toy", "--untrained", "--onnx", "-o", place, "--overwrite")
    assert (said.code, f"{folder} has no " in said.err) == (2, True), said.err
    assert [file.name for file in (tmp_path / folder).iterdir()] == ["1.jpg"]


def test_explain_without_anything_to_compare_with_is_bad_usage(command: Callable[..., Said], tmp_path: Path) -> None:
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            [onnx.helper.make_node("Identity", ["x"], ["y"])],
            "g",
            [onnx.helper.make_tensor_value_info("x", 1, [1])],
            [onnx.helper.make_tensor_value_info("y", 1, [1])],
        )
    )
    onnx.save(model, tmp_path / "any.onnx")
    said = command("verify", "any.onnx", "--explain")
    assert said.code == 2
    assert "say --against RUN or MODEL@WEIGHTS" in said.err


@pytest.mark.ci
def test_from_python_the_same(command: Callable[..., Said], tmp_path: Path) -> None:
    assert callable(command)
    written = zoo.export("toy", output=tmp_path / "b", untrained=True, seed=3, golden="synthetic")
    assert written.published
    assert hashlib.sha256((tmp_path / "b" / "manifest.json").read_bytes()).hexdigest() == written.sha256
    assert all(case.origin.startswith(("synthetic", "embedded digits")) for case in written.golden)
    assert len(written.golden) == 5
    assert [case.graph for case in written.golden] == [*["pipeline.onnx"] * 4, "model.onnx"]
    assert zoo.verify(tmp_path / "b").holds


@pytest.fixture
def unlike_the_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A thread count that zoo would not choose by itself."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    threads = torch.get_num_threads()
    torch.set_num_threads(7)
    yield
    torch.set_num_threads(threads)


def torch_state() -> tuple[object, ...]:
    """What PyTorch keeps for the whole process."""
    return (
        torch.get_num_threads(),
        torch.random.get_rng_state().tolist(),
        torch.is_grad_enabled(),
        torch.backends.mha.get_fastpath_enabled(),
        torch.backends.mkldnn.enabled,
        logging.root.manager.disable,
    )


@pytest.mark.usefixtures("unlike_the_machine")
def test_export_and_verify_leave_pytorch_as_the_caller_had_it(command: Callable[..., Said], tmp_path: Path) -> None:
    assert callable(command)
    before = torch_state()
    zoo.export("toy", output=tmp_path / "b", untrained=True, golden="synthetic")
    assert torch_state() == before
    assert zoo.verify(tmp_path / "b", against="toy").holds
    assert torch_state() == before


@pytest.mark.usefixtures("unlike_the_machine")
def test_so_do_an_export_and_a_verification_that_fail(
    command: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(command)
    zoo.export("toy", output=tmp_path / "b", untrained=True, golden="synthetic")
    before = torch_state()

    def fails(*_: object, **__: object) -> object:
        assert torch.get_num_threads() != 7, "the thread count is chosen by now"
        raise RuntimeError("out of paper")

    monkeypatch.setattr("zoo_export.proof.prove.capture_and_submit", fails)
    with pytest.raises(RuntimeError, match="out of paper"):
        zoo.export("toy", output=tmp_path / "c", untrained=True)
    assert torch_state() == before
    with pytest.raises(RuntimeError, match="out of paper"):
        zoo.verify(tmp_path / "b", against="toy")
    assert torch_state() == before


@pytest.mark.ci
def test_a_file_made_elsewhere_is_proved_against_the_model_and_a_changed_weight_is_not(
    command: Callable[..., Said], tmp_path: Path
) -> None:
    model = zoo.create_model("cnn@digits").eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (torch.randn(2, 1, 28, 28),),
            str(tmp_path / "mine.onnx"),
            dynamo=True,
            verbose=False,
            external_data=False,
            input_names=["picture"],
            output_names=["scores"],
            dynamic_shapes=({0: "batch"},),
        )
    said = command("verify", "mine.onnx", "--against", "cnn@digits", "--json")
    assert said.code == 0, said.json
    found = gates(said.json)
    assert (found["parity"], found["lineage"], found["graph"]) == (
        "PASS",
        "PASS",
        "WARN",
    )  # its maker's paths are in it
    assert "pipeline" not in found
    graph = onnx.load(tmp_path / "mine.onnx")
    tensor = max(graph.graph.initializer, key=lambda one: int(np.prod(one.dims)))
    values = numpy_helper.to_array(tensor).copy()
    values.flat[1000] *= np.float32(1.0001)
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    onnx.save(graph, tmp_path / "mine.onnx")
    said = command("verify", "mine.onnx", "--against", "cnn@digits", "--json")
    assert said.code == 1
    assert (gates(said.json)["parity"], gates(said.json)["lineage"]) == ("PASS", "FAIL")  # too small for any answer
