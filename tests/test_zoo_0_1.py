"""Runs and bundles of zoo 0.1, kept in tests/data/zoo_0_1: every command takes them, with the answers of then."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Said
from tests.frozen import folder_sha256

pytestmark = pytest.mark.ci  # each command is a whole training, export or proof

KEPT = Path(__file__).parent / "data" / "zoo_0_1"
SHA256 = "a86329c5ee45eba78d45a78b691462d21539a06fde9061b312bd92e94516b57e"
"""Of everything in the folder.  It may never change: nothing writes such files any more."""
BUNDLES = ("conv_autoencoder", "segmenter", "writer")
SHARES = {"background": 0.4371, "8": 0.3246, "2": 0.1879, "3": 0.0269, "0": 0.0235}
"""How much of the picture is what, by zoo 0.1."""

ZooCommand = Callable[..., Said]


@pytest.fixture(autouse=True)
def kept_plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The plugin of two of the models, installed."""
    monkeypatch.syspath_prepend(str(KEPT / "plugin"))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "zoo_kept"]:
        sys.modules.pop(name)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder, which is the current directory, as it was when zoo 0.1 wrote it."""
    folder = tmp_path / "zoo_0_1"
    shutil.copytree(KEPT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(folder)
    return folder


def test_nobody_edited_them() -> None:
    assert folder_sha256(KEPT) == SHA256


# --- bundles ---


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_holds(kept: Path, zoo_command: ZooCommand, name: str) -> None:
    said = zoo_command("verify", f"exported/{name}", "--json")
    assert (said.code, said.json["verdict"]) == (0, "PASS")
    assert [(gate["name"], gate["status"]) for gate in said.json["gates"]] == [
        ("files", "PASS"),
        ("proof", "PASS"),
        ("code", "PASS"),
        ("accord", "PASS"),
        ("golden cases", "PASS"),
    ]


@pytest.mark.parametrize(
    ("name", "postprocess", "seed"),
    [
        ("conv_autoencoder", ["denormalise"], None),
        ("segmenter", ["resize_to_image", "argmax"], None),
        ("writer", ["identity"], 3),
    ],
)
def test_a_bundle_is_told_in_the_fields_of_today(
    kept: Path, zoo_command: ZooCommand, name: str, postprocess: list[str], seed: int | None
) -> None:
    manifest = zoo_command("info", f"exported/{name}", "--json").json["manifest"]
    assert [step["kind"] for step in manifest["postprocess"]] == postprocess
    assert (manifest["schema"], manifest["zoo"], manifest["lineage"]["seed"]) == (2, "0.1.0", seed)
    assert "finishing" not in manifest
    said = zoo_command("info", f"exported/{name}")
    assert (said.code, ["postprocess", ", ".join(postprocess)]) == (
        0,
        next(line.split(maxsplit=1) for line in said.out.splitlines() if line.startswith("postprocess")),
    )


def test_a_bundle_answers_as_it_did(kept: Path, zoo_command: ZooCommand) -> None:
    (answer,) = zoo_command("predict", "exported/segmenter", "picture.png", "--json").json["answers"]
    assert {found["name"]: found["share"] for found in answer["classes"]} == pytest.approx(SHARES, abs=1e-3)
    (answer,) = zoo_command("predict", "exported/conv_autoencoder", "picture.png", "--json").json["answers"]
    assert (answer["height"], answer["width"], answer["channels"]) == (28, 28, 1)
    (answer,) = zoo_command("predict", "exported/writer", "Ma", "--json").json["answers"]
    assert answer["text"].startswith("MaạGo\nŞỉQắ")


def test_a_bundle_measures_as_it_did(kept: Path, zoo_command: ZooCommand) -> None:
    said = zoo_command("eval", "exported/segmenter", "--json")
    assert said.code == 0
    assert said.json["metrics"]["miou"] == pytest.approx(0.095984, abs=1e-4)
    assert said.json["metrics"]["pixel_accuracy"] == pytest.approx(0.966938, abs=1e-4)


RESIZED = f"not compared: the operators of pipeline.onnx, written by zoo 0.1.0, not {version('edgezoo')}"
"""Of bundles on pictures, whose resize 0.1 left to ONNX's own operator."""


@pytest.mark.parametrize(
    ("name", "against", "bundle"),
    [
        ("conv_autoencoder", "autoencoder/conv_autoencoder@autoencoder/digits", ("WARN", RESIZED)),
        ("segmenter", "trained/segmenter", ("WARN", RESIZED)),
        ("writer", "writer", ("PASS", "manifest, operators and golden cases are those that zoo derives anew")),
    ],
)
def test_the_proof_of_a_bundle_is_derived_anew(
    kept: Path, zoo_command: ZooCommand, name: str, against: str, bundle: tuple[str, str]
) -> None:
    said = zoo_command("verify", f"exported/{name}", "--against", against, "--json")
    gates = {gate["name"]: (gate["status"], gate["detail"]) for gate in said.json["gates"]}
    assert gates["bundle"] == bundle
    assert (said.code, said.json["verdict"]) == (0, bundle[0]), said.out
    assert {status for gate, (status, _) in gates.items() if gate != "bundle"} == {"PASS"}
    assert "mutation score" in gates


def test_a_runner_that_zoo_never_wrote_is_said(kept: Path, zoo_command: ZooCommand) -> None:
    bundle = kept / "exported" / "writer"
    (bundle / "run.py").write_text("print('self-test passed')\n")
    manifest = json.loads((bundle / "manifest.json").read_text())
    for file in manifest["files"]:
        raw = (bundle / file["name"]).read_bytes()
        file.update(sha256=hashlib.sha256(raw).hexdigest(), bytes=len(raw))
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    said = zoo_command("verify", "exported/writer", "--json")
    gates = {gate["name"]: (gate["status"], gate["detail"]) for gate in said.json["gates"]}
    assert (said.code, gates["code"]) == (1, ("FAIL", "run.py is not the one that zoo 0.1.0 writes"))


def test_a_changed_bundle_is_refused_as_ever(kept: Path, zoo_command: ZooCommand) -> None:
    graph = kept / "exported" / "segmenter" / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"x")
    assert zoo_command("verify", "exported/segmenter").code == 1


# --- runs ---


def test_a_run_is_measured_as_it_was(kept: Path, zoo_command: ZooCommand) -> None:
    for name, expected in (
        ("rnn", {"accuracy": 0.148509, "macro_f1": 0.108818}),
        ("segmenter", {"miou": 0.097657, "pixel_accuracy": 0.966604}),
        ("writer", {"bits_per_character": 4.271788, "perplexity": 19.31685}),
    ):
        said = zoo_command("eval", f"trained/{name}", "--json")
        assert (said.code, said.json["metrics"]) == (0, pytest.approx(expected, rel=1e-3)), said.err


def test_a_run_answers_as_it_did(kept: Path, zoo_command: ZooCommand) -> None:
    (answer,) = zoo_command("predict", "trained/segmenter", "picture.png", "--json").json["answers"]
    assert {found["name"]: found["share"] for found in answer["classes"]} == pytest.approx(SHARES, abs=1e-3)
    (answer,) = zoo_command("predict", "trained/writer", "Ma", "--json").json["answers"]
    assert answer["text"].startswith("Maliialg")
    (answer,) = zoo_command("predict", "trained/rnn", "Maria", "--json").json["answers"]
    assert [found["name"] for found in answer["classes"]] == ["sw", "pl", "fi", "pt", "hr"]


def test_runs_are_listed_and_told(kept: Path, zoo_command: ZooCommand) -> None:
    for name, status in (("rnn", "interrupted"), ("segmenter", "finished"), ("writer", "interrupted")):
        said = zoo_command("info", f"trained/{name}", "--json")
        assert (said.code, said.json["status"]) == (0, status)
    assert zoo_command("info", "trained/segmenter", "--json").json["config"]["input"]["kind"] == "image"


def test_a_run_is_replayed(kept: Path, zoo_command: ZooCommand) -> None:
    said = zoo_command("train", "--config", "trained/segmenter", "--dry-run", "--json")
    assert said.code == 0, said.err
    assert (said.json["config"]["limit_train"], said.json["config"]["schema"]) == (1200, 2)


def test_an_interrupted_run_goes_on_with_its_carried_state_and_moving_average(
    kept: Path, zoo_command: ZooCommand
) -> None:
    said = zoo_command("train", "--resume", "trained/writer", "--allow-inexact", "--json")
    assert said.code == 0, said.err
    record = zoo_command("info", "trained/writer", "--json").json["record"]
    assert (record["status"], record["epochs"], record["steps"], record["schema"]) == ("finished", 3, 750, 2)
    assert record["test"]["bits_per_character"] == pytest.approx(4.09436, abs=2e-3), "what zoo 0.1 itself ended with"


def test_an_interrupted_run_goes_on(kept: Path, zoo_command: ZooCommand) -> None:
    said = zoo_command("train", "--resume", "trained/rnn", "--json")
    assert (said.code, "rnn was 0.1.0, here it is 0.2" in said.err) == (2, True), said.err
    assert "--allow-inexact" in said.err
    said = zoo_command("train", "--resume", "trained/rnn", "--allow-inexact", "--json")
    assert said.code == 0, said.err
    run: dict[str, Any] = zoo_command("info", "trained/rnn", "--json").json
    assert (run["status"], run["record"]["epochs"], run["record"]["steps"]) == ("finished", 1, 125)
    assert run["record"]["test"]["accuracy"] == pytest.approx(0.4212, abs=0.03), "what zoo 0.1 itself ended with"


def test_a_run_is_exported_to_the_bundle_that_it_was(kept: Path, zoo_command: ZooCommand) -> None:
    said = zoo_command("export", "trained/segmenter", "--onnx", "-o", "again", "--evaluate", "50", "--json")
    assert (said.code, said.json["verdict"]) == (0, "PASS"), said.out
    changes = zoo_command("diff", "exported/segmenter", "again", "--json").json["changes"]
    changed = {
        (change["part"], change["name"])
        for change in changes
        if change["part"] not in ("files", "golden")
        and not (change["part"] in ("operators", "weights") and change["name"].startswith("pipeline.onnx: "))
    }
    assert changed == {
        ("record", "zoo"),
        ("record", "task_plugin"),
        ("record", "proved"),
        ("record", "lineage"),  # it says when the run was begun
        *(
            ("metadata", f"{graph}: zoo.{key}")
            for graph in ("model.onnx", "pipeline.onnx")
            for key in ("schema", "input", "problem_sha256")
        ),
    }, "the same operators and weights of the model, and the same answers"
