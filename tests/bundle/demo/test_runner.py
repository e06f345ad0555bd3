"""The folder of the JavaScript runner."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bundle.conftest import MakeBundle
from zoo.api.errors import OutputExists
from zoo.bundle.demo.runner import types, write_runner
from zoo.bundle.demo.scripts import joined_script
from zoo.bundle.runtime.bundle import Bundle


def test_a_runner_holds_what_it_needs_of_the_bundle(make_bundle: MakeBundle, tmp_path: Path) -> None:
    folder, runner = make_bundle(), tmp_path / "runner"
    write_runner(Bundle.open(folder), runner)
    files = {path.relative_to(runner).as_posix(): path.read_bytes() for path in runner.rglob("*") if path.is_file()}
    assert sorted(files) == [
        *("golden/case-0.npz", "golden/case-1.npz", "manifest.json", "package.json"),
        *("pipeline.onnx", "run.d.ts", "run.mjs"),
    ]
    assert files["pipeline.onnx"] == (folder / "pipeline.onnx").read_bytes()
    assert files["run.mjs"] == joined_script("node.mjs").encode()
    assert json.loads(files["package.json"])["dependencies"] == {"onnxruntime-web": "1.30.0"}
    assert json.loads(files["manifest.json"])["problem"]["classes"] == ["red", "green", "blue"]


def test_the_types_are_those_of_the_bundle(make_bundle: MakeBundle) -> None:
    text = types(Bundle.open(make_bundle()).manifest)
    assert 'export type Label = "red" | "green" | "blue";\n' in text
    assert "export type Input = Picture;\n" in text
    assert "export type Answer = RankedClass[];\n" in text
    assert "{{" not in text


def test_only_a_runner_is_overwritten(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle, runner = Bundle.open(make_bundle()), tmp_path / "runner"
    write_runner(bundle, runner)
    with pytest.raises(OutputExists, match="exists already"):
        write_runner(bundle, runner)
    write_runner(bundle, runner, overwrite=True)
    own = tmp_path / "own"
    own.mkdir()
    (own / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputExists, match=r"has no run\.mjs in it"):
        write_runner(bundle, own, overwrite=True)
