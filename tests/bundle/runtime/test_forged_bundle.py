"""Bundles whose hashes fit and whose words do not, and files that are exchanged while somebody looks at them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.bundle.conftest import MakeBundle
from tests.bundle.runtime.test_bundle import relist, rewrite
from tests.conftest import Said
from zoo.api.errors import BadFile, HashMismatch
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.report.page import page
from zoo.bundle.report.record import read_report
from zoo.bundle.runtime import bundle as verification
from zoo.bundle.runtime.bundle import Bundle, verify_bundle
from zoo.bundle.runtime.bundled_self_test import differing_files
from zoo.bundle.runtime.diff import differences
from zoo.bundle.runtime.manifest import MAX_BUNDLE_BYTES, MAX_FILE_BYTES, MAX_FILES
from zoo.bundle.runtime.predict import predict_bundle
from zoo.bundle.sandbox.runtime import Runtime

ZooCommand = Callable[..., Said]


def manifest(bundle: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((bundle / "manifest.json").read_text())
    return told


def report(bundle: Path, **changes: Any) -> None:
    """Change fields of the report, and everything that follows from it: page and hashes."""
    path = bundle / "report.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    relist(bundle, path.name)
    (bundle / "report.html").write_text(page(read_report(path)), encoding="utf-8")
    relist(bundle, "report.html")


def gate(bundle: Path, name: str) -> tuple[Status, str]:
    (found,) = (gate for gate in verify_bundle(bundle).gates if gate.name == name)
    return found.status, found.detail


# --- the record ---


@pytest.mark.parametrize(
    "line",
    [
        "curl https://example.org | sh",
        "zoo verify bundle; rm -rf ~",
        "zoo verify $(touch x)",
        "zoo verify bundle\nrm x",
        "zoo verify 'bundle",
        "zoo",
        "zoo train cnn --config evil.json",
        "",
    ],
)
def test_a_report_gives_no_commands_that_are_not_zoos(make_bundle: MakeBundle, line: str) -> None:
    bundle = make_bundle()
    report(bundle, reproduce=["zoo verify bundle", line])
    status, detail = gate(bundle, "proof")
    assert (status, "is no command of zoo that makes the report again" in detail) == (Status.FAIL, True)


@pytest.mark.parametrize(
    "line", ["zoo verify 'my bundle'", "zoo verify b --against cnn@digits", "zoo export cnn@digits --onnx"]
)
def test_the_commands_that_zoo_writes_stay(make_bundle: MakeBundle, line: str) -> None:
    bundle = make_bundle()
    report(bundle, reproduce=[line])
    assert gate(bundle, "proof")[0] == Status.PASS


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sentence": "proved by everybody"}, "'proved by everybody' in place of 'proved'"),
        ({"k": 1.0}, "the limit is 1 there, and 8"),
        ({"created": "yesterday"}, "'yesterday' is no time"),
        ({"gates": []}, "the gates are none there, and subject, eval mode"),
    ],
)
def test_what_a_report_says_beside_its_evidence_is_compared_with_it(
    make_bundle: MakeBundle, changes: dict[str, Any], sentence: str
) -> None:
    bundle = make_bundle()
    report(bundle, **changes)
    status, detail = gate(bundle, "proof")
    assert (status, sentence in detail) == (Status.FAIL, True)


@pytest.mark.parametrize(("field", "value"), [("detail", "certified"), ("status", "WARN"), ("name", "certificate")])
def test_the_gates_of_a_report_are_those_that_its_evidence_gives(
    make_bundle: MakeBundle, field: str, value: str
) -> None:
    bundle = make_bundle()
    gates = json.loads((bundle / "report.json").read_text())["gates"]
    report(bundle, gates=[*gates[:2], {**gates[2], field: value}, *gates[3:]])
    assert gate(bundle, "proof")[0] == Status.FAIL


def test_other_words_of_a_version_that_nobody_knows_are_not_judged(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    report(bundle, sentence="all is well")
    rewrite(bundle, zoo="99.0")
    assert gate(bundle, "proof")[0] == Status.INCONCLUSIVE


@pytest.mark.parametrize("number", [1e308, 1e-308, 0.0])
def test_numbers_that_cannot_be_drawn_do_not_stop_a_verification(
    make_bundle: MakeBundle, zoo_command: ZooCommand, number: float
) -> None:
    bundle = make_bundle()
    evidence = json.loads((bundle / "report.json").read_text())["evidence"]
    for kind in ("onnx", "torch", "scale"):
        evidence["graphs"][1]["cases"][0]["outputs"][0][kind] = {"rms": number, "max": number}
        (bundle / "report.json").write_text(
            json.dumps({**json.loads((bundle / "report.json").read_text()), "evidence": evidence})
        )
        relist(bundle, "report.json")
        assert zoo_command("verify", str(bundle)).code == 1


# --- the manifest ---


def numpy_for_golden(told: dict[str, Any], bundle: Path) -> None:
    (bundle / told["golden"][0]["file"]).rename(bundle / "numpy.py")
    for file in told["files"]:
        if file["name"] == told["golden"][0]["file"]:
            file["name"] = "numpy.py"
    told["golden"][0]["file"] = "numpy.py"


def many_files(told: dict[str, Any], _: Path) -> None:
    told["files"] += [{**told["files"][0], "name": f"golden/{number}.npz"} for number in range(MAX_FILES)]


def many_bytes(told: dict[str, Any], _: Path) -> None:
    count = MAX_BUNDLE_BYTES // MAX_FILE_BYTES + 1
    told["files"] += [
        {**told["files"][0], "name": f"golden/{number}.npz", "bytes": MAX_FILE_BYTES} for number in range(count)
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (numpy_for_golden, "the golden case case-0 is in numpy.py, not in golden/"),
        (many_files, "1,024 files and"),
        (many_bytes, "bytes are the limits"),
    ],
)
def test_a_manifest_that_no_bundle_has_exits_2(
    make_bundle: MakeBundle,
    zoo_command: ZooCommand,
    change: Callable[[dict[str, Any], Path], None],
    sentence: str,
) -> None:
    bundle = make_bundle()
    told = manifest(bundle)
    change(told, bundle)
    rewrite(bundle, **told)
    said = zoo_command("verify", str(bundle))
    assert (said.code, sentence in said.err) == (2, True)


PROBABILITIES = {"name": "probabilities", "dtype": "float32", "shape": [3], "doc": ""}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"proved": {"height": 10**9}}, "the proved sizes are"),
        ({"proved": {"height": 64, "width": 65}}, "the proved sizes are"),
        ({"proved": {}}, "the proved sizes are"),
        ({"feeds": "image"}, "its output probabilities cannot feed image"),
        ({"feeds": "state"}, "its output probabilities cannot feed state"),
        ({"rms": 1e9}, "would let any probabilities pass"),
        ({"rms": None, "max": None, "compare": "choice"}, "compares probabilities without a tolerance"),
        ({"rms": None, "max": None, "compare": "levels"}, "compares probabilities without a tolerance"),
        ({"feedback": {"image": "probabilities"}, "steps": 2}, "is fed back otherwise than the signature says"),
    ],
)
def test_a_manifest_that_would_mislead_a_device_is_told(
    make_bundle: MakeBundle, changes: dict[str, Any], sentence: str
) -> None:
    bundle = make_bundle()
    told = manifest(bundle)
    if "feeds" in changes:
        told["pipeline_signature"]["outputs"] = [{**PROBABILITIES, **changes}]
    elif "rms" in changes:
        told["golden"][0]["outputs"][0].update(changes)
    elif "steps" in changes:
        told["golden"][0].update(changes)
    else:
        told.update(changes)
    rewrite(bundle, **told)
    status, detail = accord(bundle)
    assert (status, sentence in detail) == (Status.FAIL, True)


def accord(bundle: Path) -> tuple[Status, str]:
    """What the graphs, the record and the manifest say to each other, whatever the golden cases do."""
    opened = Bundle.open(bundle)
    with Runtime() as runtime:
        return verification._consistency(opened, verification.Graphs(opened, runtime))


# --- links, and what lies beside ---


def link_to_folder(bundle: Path, outside: Path) -> None:
    shutil.move(bundle / "golden", outside / "golden")
    (bundle / "golden").symlink_to(outside / "golden")


def link_to_manifest(bundle: Path, outside: Path) -> None:
    shutil.move(bundle / "manifest.json", outside / "manifest.json")
    (bundle / "manifest.json").symlink_to(outside / "manifest.json")


def second_manifest(bundle: Path, _: Path) -> None:
    (bundle / "export").mkdir()
    shutil.copy(bundle / "manifest.json", bundle / "export")


def other_spelling(bundle: Path, _: Path) -> None:
    shutil.copy(bundle / "manifest.json", bundle / "Manifest.json")


def dangling(bundle: Path, outside: Path) -> None:
    (bundle / "data").symlink_to(outside / "absent")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (link_to_folder, "golden is not in the manifest"),
        (link_to_manifest, "manifest.json is a link, not a file"),
        (second_manifest, "export/manifest.json is not in the manifest"),
        (other_spelling, "Manifest.json is not in the manifest"),
        (dangling, "data is not in the manifest"),
    ],
)
def test_links_and_second_manifests_are_told(
    make_bundle: MakeBundle, tmp_path: Path, change: Callable[[Path, Path], None], sentence: str
) -> None:
    bundle, outside = make_bundle(), tmp_path / "outside"
    outside.mkdir()
    change(bundle, outside)
    status, detail = gate(bundle, "files")
    assert (status, sentence in detail) == (Status.FAIL, True)


LINE = "x\nPASS          proof         proved by everybody"


def test_no_name_in_a_bundle_adds_a_line_to_what_is_said(make_bundle: MakeBundle, zoo_command: ZooCommand) -> None:
    bundle = make_bundle()
    (bundle / LINE).write_text("")
    runner = [sys.executable, str(bundle / "run.py"), "--self-test"]
    tested = subprocess.run(runner, capture_output=True, text=True, check=False)
    for said in (zoo_command("verify", str(bundle)).out, tested.stdout):
        assert r"x\nPASS" in said
        assert not any("everybody" in line and line.startswith("PASS") for line in said.splitlines())


@pytest.mark.parametrize("where", ["model", "zoo", "golden"])
def test_no_word_of_a_manifest_adds_a_line(make_bundle: MakeBundle, zoo_command: ZooCommand, where: str) -> None:
    bundle = make_bundle()
    told = manifest(bundle)
    if where == "golden":
        told["golden"][0]["name"] = LINE
        told["golden"][0]["outputs"][0].update(rms=0.0, max=0.0)
    else:
        told[where] = LINE
    rewrite(bundle, **told)
    for words in (("verify", str(bundle)), ("info", str(bundle)), ("diff", str(bundle), str(bundle))):
        said = zoo_command(*words)
        assert not any(line.startswith(LINE.split("\n")[1]) for line in (said.out + said.err).splitlines())


def test_no_word_of_a_manifest_adds_a_line_to_an_error(make_bundle: MakeBundle, zoo_command: ZooCommand) -> None:
    bundle = make_bundle()
    case, *others = manifest(bundle)["golden"]
    rewrite(bundle, golden=[{**case, "name": "x\nnext: curl", "steps": 0}, *others])
    said = zoo_command("verify", str(bundle))
    assert (said.code, len(said.err.splitlines())) == (2, 1)


# --- while it changes ---

FILES = (
    "report.json",
    "report.html",
    "run.py",
    "selftest.py",
    "task.py",
    "model.onnx",
    "pipeline.onnx",
    "golden/case-0.npz",
    "golden/case-1.npz",
)


@pytest.mark.parametrize("size", ["same", "other"])
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_exchanged_after_its_hash_was_compared_is_not_used(
    make_bundle: MakeBundle, zoo_command: ZooCommand, monkeypatch: pytest.MonkeyPatch, name: str, size: str
) -> None:
    bundle = make_bundle()

    def compared_before(folder: Path, told: Mapping[str, Any]) -> Iterator[str]:
        yield from differing_files(folder, told)
        raw = (bundle / name).read_bytes()
        (bundle / name).write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]) if size == "same" else raw + b"\0")

    monkeypatch.setattr(verification, "differing_files", compared_before)
    said = zoo_command("verify", str(bundle))
    assert (said.code, "its sha256 is not the one in the manifest" in said.err + said.out) == (1, True)


def test_a_graph_that_is_exchanged_before_it_is_loaded_answers_nothing(make_bundle: MakeBundle) -> None:
    bundle = Bundle.open(make_bundle())
    path = bundle.path / "pipeline.onnx"
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(HashMismatch, match=r"pipeline\.onnx"):
        list(predict_bundle(bundle, []))


def test_bundles_differ_in_the_files_that_lie_there(make_bundle: MakeBundle, tmp_path: Path) -> None:
    """Not in what their manifests say of them."""
    bundle = make_bundle()
    other = Path(shutil.copytree(bundle, tmp_path / "other"))
    assert differences(bundle, other) == ()
    (other / "task.py").write_text("changed")
    (other / "more").write_text("")
    (other / "link").symlink_to(bundle / "task.py")
    changes = {(change.name, change.second) for change in differences(bundle, other) if change.part == "files"}
    assert changes >= {("link", "no file")}
    assert {name for name, _ in changes} == {"task.py", "more", "link"}


@pytest.mark.parametrize("name", ["golden/case-0.npz", "model.onnx", "pipeline.onnx", "report.json"])
def test_a_missing_file_is_a_sentence_in_every_command(
    make_bundle: MakeBundle, tmp_path: Path, zoo_command: ZooCommand, name: str
) -> None:
    bundle = make_bundle()
    other = Path(shutil.copytree(bundle, tmp_path / "other"))
    (other / name).unlink()
    for words in (("verify", str(other)), ("diff", str(bundle), str(other)), ("info", str(other))):
        said = zoo_command(*words)
        assert (said.code in (0, 1, 2), "did not expect" in said.err) == (True, False), said.err


def test_a_report_of_another_bundle_is_a_sentence(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    (bundle / "report.json").write_text("{}")
    relist(bundle, "report.json")
    with pytest.raises(BadFile, match="names no schema"):
        verify_bundle(bundle)


# --- golden cases and the record ---


def golden_of(bundle: Path, count: int) -> list[dict[str, Any]]:
    """The first golden cases of a manifest; those left out leave the list of files as well."""
    told = manifest(bundle)
    kept = told["golden"][:count]
    left = {case["file"] for case in told["golden"][count:]}
    rewrite(bundle, golden=kept, files=[file for file in told["files"] if file["name"] not in left])
    for name in left:
        (bundle / name).unlink()
    return list(kept)


def evidence(bundle: Path, **changes: Any) -> None:
    """Change fields of the evidence, and everything that follows from it."""
    told = json.loads((bundle / "report.json").read_text())["evidence"]
    report(bundle, evidence={**told, **changes})


def recorded(bundle: Path) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads((bundle / "report.json").read_text())["evidence"]["golden"]
    return told


def test_golden_cases_that_were_cut_down_are_told_by_the_record(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    golden_of(bundle, 1)
    assert gate(bundle, "accord") == (
        Status.FAIL,
        "the number of golden cases in the manifest is 1, and the proof gave 2",
    )


def test_a_single_golden_case_is_said_whatever_the_record_says(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    golden_of(bundle, 1)
    evidence(bundle, golden=recorded(bundle)[:1])
    assert gate(bundle, "accord")[0] == Status.PASS  # nothing in the bundle says otherwise any more
    assert gate(bundle, "golden cases") == (
        Status.WARN,
        "this device reproduces the only golden case: one case says little about a device",
    )


def test_a_golden_case_that_the_proof_did_not_give_is_told(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    shutil.copy(bundle / "golden/case-1.npz", bundle / "golden/case-0.npz")
    relist(bundle, "golden/case-0.npz")
    assert gate(bundle, "golden cases")[0] == Status.PASS
    assert gate(bundle, "accord") == (Status.FAIL, "the golden case case-0 is not the one that the proof gave")


@pytest.mark.parametrize("times", [1.01, 4.0, 0.5])
def test_a_tolerance_that_the_proof_did_not_give_is_told(make_bundle: MakeBundle, times: float) -> None:
    bundle = make_bundle()
    golden = manifest(bundle)["golden"]
    golden[0]["outputs"][0]["max"] *= times
    rewrite(bundle, golden=golden)
    assert gate(bundle, "accord")[0] == Status.FAIL
    assert "the golden case case-0 lets probabilities be off by" in gate(bundle, "accord")[1]


@pytest.mark.parametrize("part", ["noise", "scale"])
def test_a_tolerance_follows_from_what_was_measured(make_bundle: MakeBundle, part: str) -> None:
    bundle = make_bundle()
    golden, told = manifest(bundle)["golden"], recorded(bundle)
    sizes = told[0]["outputs"][0][part]
    sizes.update(rms=sizes["rms"] * 1e4, max=sizes["max"] * 1e4)
    noise, scale = (told[0]["outputs"][0][name] for name in ("noise", "scale"))
    allowed = {size: 8 * max(noise[size], 2**-23 / 4 * scale[size]) for size in ("rms", "max")}
    golden[0]["outputs"][0].update(allowed)
    evidence(bundle, golden=told)
    rewrite(bundle, golden=golden)
    assert gate(bundle, "accord") == (
        Status.FAIL,
        "the noise of probabilities in the golden case case-0 is not the one of the proof",
    )


# --- zoo 0.1 ---

EXPORTED = Path(__file__).parents[2] / "data" / "zoo_0_1" / "exported"


def of_0_1(tmp_path: Path) -> Path:
    """A copy of a bundle of zoo 0.1."""
    return Path(shutil.copytree(EXPORTED / "writer", tmp_path / "writer"))


def test_the_sentences_of_0_1_follow_from_its_evidence(tmp_path: Path) -> None:
    bundle = of_0_1(tmp_path)
    assert gate(bundle, "proof")[0] == Status.PASS
    told = json.loads((bundle / "report.json").read_text())
    told["gates"][0]["detail"] = "proved by the ministry"
    (bundle / "report.json").write_text(json.dumps(told))
    relist(bundle, "report.json")
    status, detail = gate(bundle, "proof")
    assert status == Status.FAIL
    assert detail.endswith("and not PASS: proved by the ministry")


def test_a_bundle_of_today_does_not_pass_for_one_of_0_1(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    rewrite(bundle, zoo="0.1.0")
    with pytest.raises(BadFile, match=r"names schema 2 and zoo 0\.1\.0, which wrote schema 1"):
        verify_bundle(bundle)
