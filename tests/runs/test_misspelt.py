"""What lies beside a misspelt path."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoo.runs.misspelt import near_outputs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run, a bundle, an ONNX file and a folder of something else."""
    for name, file in (("mine", "run.json"), ("bundle", "manifest.json"), ("bundles", "notes.txt")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text("{}")
    (tmp_path / "model.onnx").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("bundel", "did you mean bundle (a bundle)?"),
        ("min", "did you mean mine (a run)?"),
        ("modle.onnx", "did you mean model.onnx (an ONNX file)?"),
        ("gone/bundel", ""),
        ("resnet", ""),
    ],
)
def test_only_what_a_command_works_on_is_named(text: str, hint: str, folder: Path) -> None:
    assert near_outputs(text) == hint


def test_another_folder_is_named_with_its_path(folder: Path) -> None:
    assert near_outputs(folder / "bundel") == f"did you mean {folder / 'bundle'} (a bundle)?"
