"""run.py alone: with torch and zoo blocked, in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import zoo
from tests.bundle.conftest import MakeBundle
from tests.bundle.runtime.test_bundle import rewrite
from zoo.api.errors import BadFile
from zoo.bundle.runtime import bundled_run
from zoo.bundle.runtime.task_source import task_source

BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "torchvision", "zoo", "zoo_export", "onnx", "cattrs", "click"}:
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, Block())
"""


ANSWER = (
    "leaf.png:\n   78.70%  ████████████████      green\n"
    "   10.65%  ██                    red\n   10.65%  ██                    blue\n"
)


def run(bundle: Path, *arguments: str, block: Path) -> subprocess.CompletedProcess[str]:
    """run.py's answer; `block` holds a sitecustomize that forbids everything heavy."""
    (block / "sitecustomize.py").write_text(BLOCK)
    environment = {**os.environ, "PYTHONPATH": str(block)}
    command = [sys.executable, str(bundle / "run.py"), *arguments]
    return subprocess.run(command, env=environment, cwd=block, capture_output=True, text=True, check=False)


def test_the_self_test_passes_on_a_whole_bundle(make_bundle: MakeBundle, tmp_path: Path) -> None:
    done = run(make_bundle(), "--self-test", block=tmp_path)
    assert (done.returncode, done.stdout) == (0, "self-test passed: 9 files, 2 golden cases\n")


@pytest.mark.parametrize("name", ["pipeline.onnx", "golden/case-0.npz", "task.py"])
def test_the_self_test_names_a_changed_file(make_bundle: MakeBundle, tmp_path: Path, name: str) -> None:
    bundle = make_bundle()
    (bundle / name).write_bytes((bundle / name).read_bytes() + b" ")
    done = run(bundle, "--self-test", block=tmp_path)
    assert done.returncode == 1
    assert f"{name} was changed" in done.stdout


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ('del manifest["golden"]', "not as zoo writes it (KeyError: 'golden')"),
        ('manifest["files"] = 3', "not as zoo writes it (TypeError: 'int' object is not iterable)"),
        ('manifest["variants"] = [{"golden": []}]', "not as zoo writes it (KeyError: 'name')"),
        ('manifest["golden"][0]["file"] = "../x"', "not as zoo writes it (ValueError: it lists no ../x)"),
        ('manifest["golden"][0]["graph"] = "model.onnx"', "case-0: not answered: "),
        ('manifest["golden"] = []', "there is no golden case"),
    ],
)
def test_an_edited_manifest_is_one_sentence(make_bundle: MakeBundle, tmp_path: Path, edit: str, said: str) -> None:
    bundle = make_bundle()
    manifest = json.loads((bundle / "manifest.json").read_text())
    exec(edit, {"manifest": manifest})
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    done = run(bundle, "--self-test", block=tmp_path)
    assert done.returncode in (1, 2)
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_self_test_repeats_unproved(make_bundle: MakeBundle, tmp_path: Path) -> None:
    done = run(make_bundle(verdict="unproved"), "--self-test", block=tmp_path)
    assert (done.returncode, "without a proof" in done.stdout) == (1, True)


def test_it_answers_pictures(make_bundle: MakeBundle, tmp_path: Path) -> None:
    Image.new("RGB", (4, 3), (0, 128, 0)).save(tmp_path / "leaf.png")
    bundle = make_bundle()
    done = run(bundle, "leaf.png", "leaf.png", block=tmp_path)
    assert (done.returncode, done.stdout) == (0, ANSWER * 2)
    assert run(bundle, "--self-test", block=tmp_path).returncode == 0  # nothing was left behind


def test_names_of_a_bundle_do_not_command_the_terminal(make_bundle: MakeBundle, tmp_path: Path) -> None:
    Image.new("RGB", (4, 3), (0, 128, 0)).save(tmp_path / "leaf.png")
    bundle = make_bundle()
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["problem"]["classes"][1] = "\x1b[2J\x9b\u202e\nleaf.png: red 0.99"
    manifest["golden"][0]["name"] = "\x1b]0;title\x07"
    manifest["golden"][0]["outputs"][0]["max"] = manifest["golden"][0]["outputs"][0]["rms"] = 0
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    done = run(bundle, "leaf.png", block=tmp_path)
    assert done.stdout == ANSWER.replace("green", r"\x1b[2J\x9b\u202e\nleaf.png: red 0.99")
    done = run(bundle, "--self-test", block=tmp_path)
    assert r"\x1b]0;title\x07: probabilities is off" in done.stdout
    assert not {"\x1b", "\x07"} & set(done.stdout)


def test_bad_usage_and_unreadable_files_exit_2(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = make_bundle()
    (tmp_path / "note.png").write_text("no picture")
    (tmp_path / "empty").mkdir()
    Image.new("RGB", (4, 3)).save(tmp_path / "leaf.png")
    assert "no such option" not in run(bundle, block=tmp_path).stderr
    for arguments, said in (
        ((), "python run.py [OPTIONS]"),
        (("--strict",), "self-test"),
        (("--self-test", "leaf.png"), "there is no input, or no such option"),
        (("--shrink", "leaf.png"), "--shrink leaf.png: there is no input, or no such option"),
        (("--variant", "int8", "leaf.png"), "this bundle has no variant int8; it has none"),
        (("--variant",), "expected one argument"),
        (("--threads", "-1", "leaf.png"), "--threads is -1; it must be 1 or more"),
        (("--threads", "x", "leaf.png"), "invalid int value"),
        (("--provider", "tpu", "leaf.png"), "this onnxruntime has no provider tpu; it has "),
        (("note.png",), "cannot be read"),
        (("no.png",), "no.png"),
        (("empty",), "empty cannot be read: there are no files in this folder"),
    ):
        done = run(bundle, *arguments, block=tmp_path)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_help_is_the_answer(make_bundle: MakeBundle, tmp_path: Path) -> None:
    done = run(make_bundle(), "--help", block=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    options = ("--variant", "--provider", "--threads", "--json", "--strict", "--self-test")
    assert all(option in done.stdout for option in options)


@pytest.mark.parametrize(
    ("name", "program", "said"),
    [
        ("numpy", "run.py", "numpy is not installed: pip install numpy onnxruntime pillow"),
        ("onnxruntime", "run.py", "onnxruntime is not installed: pip install numpy onnxruntime pillow"),
        ("PIL", "run.py", "PIL is not installed: pip install numpy onnxruntime pillow"),
        ("numpy", "selftest.py", "numpy is not installed: pip install numpy onnxruntime"),
        ("onnxruntime", "selftest.py", "onnxruntime is not installed: pip install numpy onnxruntime pillow"),
    ],
)
def test_a_package_that_is_missing_is_a_sentence(
    name: str, program: str, said: str, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    block = BLOCK.replace('"torch",', f'"torch", "{name}",').replace("ImportError(", "ModuleNotFoundError(")
    (tmp_path / "sitecustomize.py").write_text(block.replace('" is blocked")', '" is blocked", name=name)'))
    Image.new("RGB", (4, 3)).save(tmp_path / "leaf.png")
    command = [sys.executable, str(make_bundle() / program), *(["leaf.png"] if program == "run.py" else [])]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said + "\n")


@pytest.mark.skipif(os.name == "nt", reason="a pipe that nobody reads is no signal there")
@pytest.mark.parametrize("program", ["run.py", "selftest.py"])
def test_nobody_reads_on(program: str, make_bundle: MakeBundle, tmp_path: Path) -> None:
    Image.new("RGB", (4, 3)).save(tmp_path / "leaf.png")
    command = [sys.executable, str(make_bundle() / program), *(["leaf.png"] if program == "run.py" else [])]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (-13, "")


def test_a_folder_stands_for_its_files(make_bundle: MakeBundle, tmp_path: Path) -> None:
    (tmp_path / "leaves").mkdir()
    for name in ("b.png", "a.png"):
        Image.new("RGB", (4, 3), (0, 128, 0)).save(tmp_path / "leaves" / name)
    (tmp_path / "leaves" / ".hidden").write_text("no picture")
    bundle = make_bundle()
    done = run(bundle, "leaves", "--threads", "1", "--provider", "CPU", block=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    named = [line.partition(":")[0] for line in done.stdout.splitlines() if ":" in line]
    assert named == ["leaves/a.png", "leaves/b.png"]
    (tmp_path / "leaves" / "c.txt").write_text("no picture")
    done = run(bundle, "leaves", block=tmp_path)
    assert (done.returncode, "leaves/c.txt cannot be read" in done.stderr) == (2, True)


def test_json_holds_every_output_as_numbers(make_bundle: MakeBundle, tmp_path: Path) -> None:
    Image.new("RGB", (4, 3), (0, 128, 0)).save(tmp_path / "leaf.png")
    done = run(make_bundle(), "--json", "leaf.png", "leaf.png", block=tmp_path)
    document = json.loads(done.stdout)
    assert (document["model"], document["variant"], len(document["answers"])) == ("cnn/cnn", None, 2)
    answer = document["answers"][0]
    assert (answer["input"], "green" in answer["text"]) == ("leaf.png", True)
    assert [row["name"] for row in answer["classes"]] == ["green", "red", "blue"]
    assert [row["probability"] for row in answer["classes"]] == pytest.approx([0.7870, 0.1065, 0.1065], abs=1e-4)
    assert answer["outputs"]["probabilities"] == pytest.approx([0.1065, 0.7870, 0.1065], abs=1e-4)


@pytest.mark.parametrize("change", ["changed", "missing"])
def test_a_graph_of_other_bytes_is_not_run(make_bundle: MakeBundle, tmp_path: Path, change: str) -> None:
    Image.new("RGB", (4, 3), (0, 128, 0)).save(tmp_path / "leaf.png")
    bundle = make_bundle()
    graph = bundle / "pipeline.onnx"
    if change == "missing":
        graph.unlink()
    else:
        graph.write_bytes(graph.read_bytes()[:-1] + b"x")
    done = run(bundle, "leaf.png", block=tmp_path)
    words = "pipeline.onnx is missing or was changed: its bytes are not those that the manifest names\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", words)


def test_the_boot_test_looks_at_one_golden_case(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = make_bundle()

    def boot(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, str(bundle / "selftest.py"), *arguments]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    (tmp_path / "sitecustomize.py").write_text(BLOCK.replace('"torch",', '"torch", "PIL",'))
    assert boot() == (0, "self-test passed: 9 files, 2 golden cases\n")
    assert boot("--quick") == (0, "quick self-test passed: case-0\n")
    (bundle / "report.json").write_text("changed")  # nothing that an answer needs
    assert boot("--quick")[0] == 0
    assert boot()[0] == 1
    (bundle / "golden" / "case-0.npz").write_bytes(b"changed")
    assert boot("--quick") == (1, "golden/case-0.npz was changed\nself-test failed\n")
    assert (bundle / "selftest.py").stat().st_size < 12_000


@pytest.mark.parametrize(
    "runner",
    [
        *(f"image_{kind}.device" for kind in ("classification", "reconstruction", "embedding")),
        *("audio_generation.device", "semantic_segmentation.device"),
        *(f"text_{kind}.device" for kind in ("classification", "generation", "embedding")),
    ],
)
def test_the_runner_stays_short_enough_to_be_read(runner: str) -> None:
    core = Path(bundled_run.__file__).read_text()
    assert (core + task_source(f"zoo.tasks.{runner}:read")).count("\n") <= 325


@pytest.mark.install
def test_it_needs_only_numpy_onnxruntime_and_pillow(make_bundle: MakeBundle, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "numpy", "onnxruntime", "pillow"], check=True)
    Image.new("RGB", (4, 3), (0, 128, 0)).save(tmp_path / "leaf.png")
    bundle = make_bundle()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for arguments, said in (("--self-test", "self-test passed"), (str(tmp_path / "leaf.png"), " 78.70%  ")):
        command = [str(python), str(bundle / "run.py"), arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert said in done.stdout


@pytest.mark.install
def test_the_dockerfile_of_the_docs_builds_in_a_clean_environment(make_bundle: MakeBundle, tmp_path: Path) -> None:
    """Its lines in a virtual environment, with a folder in the place of the container's /bundle."""
    text = (Path(__file__).parents[3] / "docs" / "device.md").read_text(encoding="utf-8")
    steps = [line.partition(" ")[::2] for line in text.split("```dockerfile\n")[1].split("```")[0].splitlines()]
    assert [step for step, _ in steps] == ["FROM", "RUN", "COPY", "RUN", "ENTRYPOINT"]
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    Image.new("RGB", (4, 3), (0, 128, 0)).save(tmp_path / "leaf.png")
    programs = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def executed(words: list[str]) -> str:
        known = {"python": str(programs / "python"), "pip": str(programs / "pip")}
        command = [known.get(word, word.replace("/bundle", str(tmp_path / "container"))) for word in words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    for step, words in steps[1:]:
        if step == "COPY":
            assert words == ". /bundle"
            shutil.copytree(make_bundle(), tmp_path / "container")
        elif step == "RUN":
            said = executed(words.split())
        else:
            entry = json.loads(words)
    assert said.startswith("self-test passed")
    assert " 78.70%  " in executed([*entry, str(tmp_path / "leaf.png")])


def test_a_task_takes_options_of_its_own_from_the_command_line(make_bundle: MakeBundle, tmp_path: Path) -> None:
    Image.new("RGB", (4, 3), (0, 128, 0)).save(tmp_path / "leaf.png")
    bundle = make_bundle()
    with (bundle / "task.py").open("a") as task:
        task.write(
            "\n\ndef choose(arguments, problem):\n    problem['classes'] = arguments[:3]\n    return arguments[3:]\n"
        )
    done = run(bundle, "--a", "b", "c", "leaf.png", block=tmp_path)
    renamed = ANSWER.replace("green", "b").replace("red", "--a").replace("blue", "c")
    assert (done.returncode, done.stdout) == (0, renamed)
    done = run(bundle, "--a", "b", "c", block=tmp_path)
    assert (done.returncode, "self-test" in done.stderr) == (2, True)


def proved(make_bundle: MakeBundle, **sizes: int) -> Path:
    """A bundle that is proved up to these sizes, and a picture that is 7 high and 9 wide beside it."""
    bundle = make_bundle()
    rewrite(bundle, proved=sizes)
    Image.new("RGB", (9, 7), (0, 200, 0)).save(bundle.parent / "leaf.png")
    return bundle


def test_a_larger_input_than_was_proved_is_answered_with_a_warning(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = proved(make_bundle, height=7, width=8)
    done = run(bundle, "leaf.png", block=tmp_path)
    assert (done.returncode, done.stderr) == (0, "leaf.png: its width is 9, proved up to 8\n")
    assert "green" in done.stdout


def test_with_strict_a_larger_input_is_not_answered(make_bundle: MakeBundle, tmp_path: Path) -> None:
    done = run(proved(make_bundle, height=6), "leaf.png", "--strict", block=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "leaf.png: its height is 7, proved up to 6\n")
    done = run(proved(make_bundle, height=7, width=9), "--strict", "leaf.png", block=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_zoo_predict_warns_and_refuses_as_the_bundle_itself_does(
    make_bundle: MakeBundle, tmp_path: Path, zoo_command: Callable[..., Any]
) -> None:
    bundle = proved(make_bundle, width=8)
    picture = str(tmp_path / "leaf.png")
    said = zoo_command("predict", str(bundle), picture, "--json")
    sentence = "its width is 9, and this bundle was proved up to 8"
    assert (said.code, said.json["answers"][0]["warning"]) == (0, sentence)
    assert f"{picture}: {sentence}" in said.err
    said = zoo_command("predict", str(bundle), picture, "--strict")
    assert said.code == 2
    assert f"{picture} is not answered: {sentence}" in said.err
    (answer,) = zoo.predict(bundle, picture)
    assert answer.warning == sentence
    with pytest.raises(BadFile, match="leave --strict away"):
        zoo.predict(bundle, picture, strict=True)


def test_strict_is_for_bundles(zoo_command: Callable[..., Any]) -> None:
    said = zoo_command("predict", "cnn@digits", "x.png", "--strict")
    assert said.code == 2
    assert "this is no bundle" in said.err
