"""A whole bundle is accepted; one changed in any way is not, with a sentence and the right exit code."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bundle.conftest import MakeBundle, answer
from tests.conftest import Said
from tests.healthy import healthy_evidence
from zoo.api.errors import BadFile, HashMismatch
from zoo.bundle.judge.evidence import Evidence
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.bundle import Bundle, verify_bundle
from zoo.bundle.runtime.bundled_self_test import roll_out
from zoo.bundle.runtime.golden_replay import golden_bytes
from zoo.bundle.runtime.predict import predict_bundle

ZooCommand = Callable[..., Said]


def rewrite(bundle: Path, **changes: Any) -> None:
    """Change fields of the manifest."""
    path = bundle / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def relist(bundle: Path, name: str) -> None:
    """Make the manifest name a file's present bytes, as a careful forger would."""
    files = json.loads((bundle / "manifest.json").read_text())["files"]
    for file in files:
        if file["name"] == name:
            raw = (bundle / name).read_bytes()
            file.update(sha256=hashlib.sha256(raw).hexdigest(), bytes=len(raw))
    rewrite(bundle, files=files)


def test_a_whole_bundle_holds(make_bundle: MakeBundle, zoo_command: ZooCommand) -> None:
    bundle = make_bundle()
    sha256 = hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
    said = zoo_command("verify", str(bundle), "--sha256", sha256, "--json")
    assert said.code == 0
    assert said.json["verdict"] == "PASS"
    assert [(gate["name"], gate["status"]) for gate in said.json["gates"]] == [
        ("manifest", "PASS"),
        ("files", "PASS"),
        ("proof", "PASS"),
        ("code", "PASS"),
        ("accord", "PASS"),
        ("golden cases", "PASS"),
    ]
    assert (said.json["schema"], said.json["sha256"]) == (1, sha256)
    plain = zoo_command("verify", str(bundle))
    assert plain.code == 0
    assert "this device reproduces all 2 golden cases" in plain.out
    assert f"next: zoo predict {bundle}" in plain.out


def test_a_run_stands_for_the_bundle_exported_from_it(make_bundle: MakeBundle, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    make_bundle().rename(tmp_path / "run" / "export")
    assert verify_bundle(tmp_path / "run").holds


FILES = ("model.onnx", "pipeline.onnx", "run.py", "task.py", "report.json", "golden/case-0.npz")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["changed", "missing", "truncated", "link"])
def test_any_file_changed_or_missing_is_refused(
    make_bundle: MakeBundle, zoo_command: ZooCommand, tmp_path: Path, name: str, how: str
) -> None:
    bundle = make_bundle()
    raw = (bundle / name).read_bytes()
    (bundle / name).unlink()
    if how == "changed":
        (bundle / name).write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    if how == "truncated":
        (bundle / name).write_bytes(raw[: len(raw) // 2])
    if how == "link":
        (tmp_path / "elsewhere").write_bytes(raw)
        (bundle / name).symlink_to(tmp_path / "elsewhere")
    said = zoo_command("verify", str(bundle))
    assert said.code == 1
    assert f"{name} {'is missing' if how == 'missing' else 'is a link' if how == 'link' else 'was changed'}" in said.out


@pytest.mark.parametrize("name", ["evil.onnx", "golden/case-9.npz", ".hidden"])
def test_an_added_file_is_refused(make_bundle: MakeBundle, name: str) -> None:
    bundle = make_bundle()
    (bundle / name).write_bytes(b"new")
    gates = {gate.name: gate for gate in verify_bundle(bundle).gates}
    assert gates["files"].status == Status.FAIL
    assert gates["files"].detail == f"{name} is not in the manifest"
    assert gates["golden cases"].status == Status.INCONCLUSIVE


def test_an_edited_golden_case_is_seen_even_when_relisted(make_bundle: MakeBundle, zoo_command: ZooCommand) -> None:
    bundle = make_bundle()
    image = np.full((4, 4, 3), 9, np.uint8)
    (bundle / "golden/case-0.npz").write_bytes(golden_bytes({"image": image}, {"probabilities": answer(image) + 1e-4}))
    relist(bundle, "golden/case-0.npz")
    said = zoo_command("verify", str(bundle))
    assert said.code == 1
    assert "case-0: probabilities is off by up to 0.0001" in said.out


def test_an_exchanged_graph_is_seen_even_when_relisted(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    raw = (bundle / "model.onnx").read_bytes()
    (bundle / "model.onnx").write_bytes(raw.replace(b"test", b"tost"))
    relist(bundle, "model.onnx")
    checked = verify_bundle(bundle)
    gates = {gate.name: gate for gate in checked.gates}
    assert (gates["files"].status, gates["proof"].status, checked.holds) == (Status.PASS, Status.FAIL, False)
    assert "the bytes measured are not the bytes to be published" in gates["proof"].detail


def test_a_forged_verdict_is_seen_by_its_own_evidence(make_bundle: MakeBundle) -> None:
    changed = replace(healthy_evidence(), eval_mode=None)
    checked = verify_bundle(make_bundle(evidence=changed, verdict="PASS"))
    assert (checked.verdict, checked.holds) == ("FAIL", False)
    assert "the evidence gives INCONCLUSIVE" in {gate.name: gate.detail for gate in checked.gates}["proof"]


def test_an_unproved_bundle_says_so_again(make_bundle: MakeBundle, zoo_command: ZooCommand) -> None:
    changed: Evidence = replace(healthy_evidence(), mutants=())
    said = zoo_command("verify", str(make_bundle(evidence=changed, verdict="unproved")), "--json")
    assert (said.code, said.json["verdict"]) == (1, "unproved")


def test_the_manifests_own_hash_is_compared(make_bundle: MakeBundle, zoo_command: ZooCommand) -> None:
    bundle = make_bundle()
    assert zoo_command("verify", str(bundle), "--sha256", "0" * 64).code == 1
    assert zoo_command("verify", str(bundle), "--sha256", "short").code == 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schema": 3}, "has schema 3, this zoo reads up to 2"),
        ({"schema": "1"}, "names no schema"),
        ({"surprise": 1}, "surprise"),
        ({"opset": "18"}, "opset"),
        ({"files": [{"name": "../x", "role": "other", "sha256": "0", "bytes": 1}]}, "outside the bundle"),
        ({"files": [{"name": "/etc/passwd", "role": "other", "sha256": "0", "bytes": 1}]}, "outside the bundle"),
        ({"files": [{"name": "a", "role": "other", "sha256": "0", "bytes": 1}] * 2}, "twice"),
        ({"files": []}, "not both are listed"),
    ],
)
def test_a_manifest_that_cannot_be_meant_exits_2(
    make_bundle: MakeBundle, zoo_command: ZooCommand, changes: dict[str, Any], reason: str
) -> None:
    bundle = make_bundle()
    rewrite(bundle, **changes)
    said = zoo_command("verify", str(bundle))
    assert (said.code, said.out) == (2, "")
    assert reason in said.err


def test_what_is_no_bundle_exits_2(tmp_path: Path, zoo_command: ZooCommand) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "manifest.json").write_text("{")
    (tmp_path / "empty").mkdir()
    (tmp_path / "model.onnx").write_bytes(b"x")
    for name, reason in (("absent", "does not exist"), ("bad", "not JSON"), ("empty", "no bundle")):
        said = zoo_command("verify", str(tmp_path / name))
        assert (said.code, reason in said.err) == (2, True)
    said = zoo_command("verify", str(tmp_path / "model.onnx"))
    assert (said.code, "--against" in said.err) == (2, True)


def test_the_report_of_a_failed_export_is_told_from_a_bundle(make_bundle: MakeBundle, zoo_command: ZooCommand) -> None:
    bundle = make_bundle(evidence=replace(healthy_evidence(), mutants=()), verdict="unproved")
    (bundle / "manifest.json").unlink()
    said = zoo_command("verify", str(bundle))
    assert (said.code, said.out) == (1, "")
    assert "the report of an export that was not proved (INCONCLUSIVE): mutation score: not measured" in said.err
    assert "report.html" in said.err


def test_a_golden_file_that_is_none_exits_2(make_bundle: MakeBundle, zoo_command: ZooCommand) -> None:
    bundle = make_bundle()
    (bundle / "golden/case-1.npz").write_bytes(b"nonsense")
    relist(bundle, "golden/case-1.npz")
    said = zoo_command("verify", str(bundle))
    assert (said.code, "is no golden case" in said.err) == (2, True)


def test_a_golden_case_that_unpacks_to_too_much_is_not_read(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.bundle.runtime.golden_replay.MAX_BYTES", 100)
    with pytest.raises(BadFile, match=r"case-0\.npz is no golden case: it would unpack to \d+ bytes"):
        verify_bundle(make_bundle())


def test_a_bundle_answers_new_inputs(make_bundle: MakeBundle) -> None:
    bundle = Bundle.open(make_bundle())
    image = np.zeros((3, 2, 3), np.uint8)
    image[..., 2] = 128
    (found,) = predict_bundle(bundle, [{"image": image}])
    np.testing.assert_allclose(found["probabilities"], answer(image), rtol=1e-6)


def test_a_bundle_with_another_graph_answers_nothing(make_bundle: MakeBundle) -> None:
    path = make_bundle()
    (path / "pipeline.onnx").write_bytes((path / "model.onnx").read_bytes())
    with pytest.raises(HashMismatch, match=r"pipeline\.onnx is missing or was changed"):
        list(predict_bundle(Bundle.open(path), []))


def test_verify_needs_onnxruntime_and_numpy_only(make_bundle: MakeBundle) -> None:
    script = (
        "import sys; from zoo.cli import main; code = main(['verify', sys.argv[1]]);"
        "heavy = {'torch', 'torchvision', 'onnx', 'onnxscript', 'PIL', 'onnxruntime'} & sys.modules.keys();"
        "sys.exit(code or len(heavy))"  # onnxruntime lives in the sandbox
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script, str(make_bundle())], env=environment, check=False)
    assert done.returncode == 0


def test_a_roll_out_feeds_its_state_back() -> None:
    def run(feeds: dict[str, Any]) -> dict[str, Any]:
        return {"y": feeds["x"] * 2, "state_out": feeds["state"] + feeds["x"]}

    feeds = {"x": np.arange(1, 5), "state": np.array(10)}
    found = roll_out(run, feeds, steps=4, feedback={"state": "state_out"})
    assert found["y"].tolist() == [2, 4, 6, 8]
    assert found["state_out"].tolist() == [11, 13, 16, 20]


def test_a_nan_answer_is_never_within_its_tolerance() -> None:
    from zoo.bundle.runtime.bundled_self_test import difference

    nan, one = np.array([np.nan]), np.array([1.0])
    assert difference(nan, one, {"compare": "tolerance", "rms": 1.0, "max": 1.0})
    assert difference(nan, one, {"compare": "equal"})
    assert difference(one, np.array([[1.0]]), {"compare": "equal"}) == "has shape [1] instead of [1, 1]"
    levels = np.zeros(2000, np.uint8)
    assert not difference(levels + (np.arange(2000) < 2), levels, {"compare": "levels"})
    assert difference(levels + (np.arange(2000) < 3), levels, {"compare": "levels"})
    assert difference(levels + 2 * (np.arange(2000) < 1), levels, {"compare": "levels"})


def test_a_manifest_of_absurd_size_is_not_read(make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.bundle.runtime.manifest.MAX_BYTES", 10)
    with pytest.raises(BadFile, match="no manifest is that large"):
        Bundle.open(make_bundle())
