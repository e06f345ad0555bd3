"""What `zoo verify` proposes after a check that failed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import click
import pytest

from zoo.bundle.judge.gates import Gate
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.bundle import NOT_CHECKED, Bundle, Checked
from zoo.cli.export import _next_step
from zoo.cli.verify import _advice, _verify_bundle

NAMES = ("files", "proof", "golden cases", "variant int8", "variant fp16")


def bundle(*variants: str, path: Path = Path("b"), target: str = "cnn@digits", **manifest: Any) -> Bundle:
    """A bundle with these variants, of which nothing else is asked for."""
    fields = {
        "model": "cnn/cnn",
        "verdict": "PASS",
        "lineage": SimpleNamespace(target=target, seed=None),
        "variants": tuple(
            SimpleNamespace(name=name, bits=name if name in ("int8", "fp16") else "fp32") for name in variants
        ),
        "runtimes": (),
        "files": (SimpleNamespace(name="model.onnx"),),
    }
    return cast("Bundle", SimpleNamespace(path=path, manifest=SimpleNamespace(**fields | manifest), sha256="0" * 64))


def gates(*failing: str) -> tuple[Gate, ...]:
    """All gates, these of them failing."""
    names = dict.fromkeys((*NAMES, *failing))
    return tuple(
        Gate(name=name, status=Status.FAIL if name in failing else Status.PASS, detail="", seconds=0.0)
        for name in names
    )


@pytest.mark.parametrize(
    ("failing", "variants", "step"),
    [
        (("golden cases",), ("int8",), "zoo verify b --explain"),
        (("variant fp16",), ("int8", "fp16"), "open b/report.html"),
        (("runtime openvino",), (), "open b/report.html"),
        (("openvino",), (), "open b/report.html"),
        (("manifest",), (), "zoo info b"),
        (("signature",), ("int8",), "zoo info b"),
        (("files", "variant int8"), ("int8",), "zoo export cnn@digits --onnx --int8 -o b --overwrite"),
        (("files",), (), "zoo export cnn@digits --onnx -o b --overwrite"),
        (("files",), ("batch",), "zoo export cnn@digits --onnx --batch -o b --overwrite"),
        (("files",), ("fixed-4x5",), "zoo export cnn@digits --onnx --fixed-size 4x5 -o b --overwrite"),
    ],
)
def test_the_next_step_is_about_this_bundle(failing: tuple[str, ...], variants: tuple[str, ...], step: str) -> None:
    assert _advice(bundle(*variants), gates(*failing)) == ("", step)


def test_a_bundle_is_made_anew_in_its_own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine/export").mkdir(parents=True)
    Path("mine/run.json").write_text("{}")
    damaged = gates(*NAMES)
    again = "zoo export mine --onnx"
    assert _advice(bundle(target="mine"), damaged)[1] == f"{again} -o b --overwrite"
    assert _advice(bundle(target="mine", path=Path("mine/export")), damaged)[1] == f"{again} --overwrite"
    with_runtime = bundle(target="mine", runtimes=(SimpleNamespace(name="openvino"),))
    assert _advice(with_runtime, damaged)[1] == f"{again} --for openvino -o b --overwrite"
    random = bundle(lineage=SimpleNamespace(target="", seed=3))
    assert _advice(random, damaged)[1] == "zoo export cnn/cnn --untrained --seed 3 --onnx -o b --overwrite"


def test_without_its_run_a_damaged_bundle_is_copied_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert _advice(bundle(target="mine"), gates(*NAMES)) == (
        "what it was exported from (mine) is not here: copy the bundle again from its origin",
        "zoo verify b",
    )


def test_an_unproved_bundle_is_no_damage() -> None:
    assert _advice(bundle(verdict="unproved"), gates("proof")) == ("", "open b/report.html")


@pytest.mark.parametrize(
    ("strays", "sentence"),
    [
        (("notes.txt",), "notes.txt is no part of the bundle: remove it, or move it elsewhere"),
        (("a/b", "c"), "a/b, c are no part of the bundle: remove them, or move them elsewhere"),
        (
            ("a", "b", "c", "d", "e"),
            "a, b, c and 2 more are no part of the bundle: remove them, or move them elsewhere",
        ),
    ],
)
def test_a_stray_file_is_removed_and_nothing_is_written_over(
    strays: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    for name in ("model.onnx", "manifest.json", *strays):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert _advice(bundle(path=tmp_path), gates(*NAMES)) == (sentence, f"zoo verify {tmp_path}")


def test_one_reason_is_said_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    skipped = [Gate(name=name, status=NOT_CHECKED[0], detail=NOT_CHECKED[1], seconds=0.0) for name in ("proof", "code")]
    failed = Gate(name="files", status=Status.FAIL, detail="model.onnx is missing", seconds=0.0)
    checked = Checked(bundle=bundle(), gates=(failed, *skipped), seconds=0.0)
    monkeypatch.setattr("zoo.bundle.runtime.bundle.verify_bundle", lambda *_, **__: checked)
    with pytest.raises(click.exceptions.Exit):
        _verify_bundle(Path("b"), sha256=None, key=None, engine="onnxruntime", as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "FAIL          files         model.onnx is missing",
        "INCONCLUSIVE  proof, code   not looked at, because the files are not those of the manifest",
    ]


def test_another_models_bundle_is_not_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bundle, "open", lambda _: bundle())
    wrong = gates("parity")
    assert _next_step(Path("b"), "gru@names", wrong, explained=False) == "zoo verify b --against gru@names --explain"
    assert _next_step(Path("b"), "gru@names", wrong, explained=True) == "zoo verify b"


@pytest.mark.parametrize(
    ("failing", "explained", "step"),
    [
        (("parity",), False, "zoo verify b --against cnn@digits --explain"),
        (("parity",), True, "zoo export cnn@digits --onnx --int8 -o b --overwrite"),
        (("variant int8", "int8 weights"), False, "zoo export cnn@digits --onnx --int8 -o b --overwrite"),
        (("parity", "int8 weights"), False, "zoo verify b --against cnn@digits --explain"),
        (("parity", "precision"), False, "zoo export cnn@digits --onnx --int8"),
    ],
)
def test_the_next_step_after_a_proof_that_failed(
    monkeypatch: pytest.MonkeyPatch, failing: tuple[str, ...], explained: bool, step: str
) -> None:
    monkeypatch.setattr(Bundle, "open", lambda _: bundle("int8"))
    assert _next_step(Path("b"), "cnn@digits", gates(*failing), explained=explained) == step
