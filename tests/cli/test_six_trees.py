"""Six folders as people have them: each is understood, and trains with one command that has nothing but `--data`."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.six_trees import TREES
from zoo.cli import main
from zoo.runs.run import Run

UNDERSTOOD = {
    "roboflow": ("yolo", ["face", "cup"], {"train": 48, "validation": 12, "test": 8}),
    "cvat": ("yolo", ["face", "cup"], {"train": 54, "validation": 6, "test": 0}),
    "VOCdevkit": ("voc", ["cup", "face"], {"train": 48, "validation": 12, "test": 0}),
    "coco": ("coco", ["face", "cup"], {"train": 48, "validation": 12, "test": 0}),
    "masks": ("mask-folders", ["class 0", "class 1"], {"train": 54, "validation": 6, "test": 0}),
    "phone": ("class-folders", ["astronaut", "chelsea", "coffee"], {"train": 51, "validation": 9, "test": 0}),
}


@pytest.mark.ci
@pytest.mark.parametrize("name", TREES)
def test_a_tree_trains_with_nothing_but_data(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make, model = TREES[name]
    make(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert main(["train", model, "--data", name, "--max-steps", "2", "--threads", "1", "-o", "run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    run = Run.open(Path("run"))
    format, classes, counts = UNDERSTOOD[name]
    assert lines[0].startswith(f"data: {name}, read as {format} for ")
    assert list(run.problem.classes) == classes
    assert {split: run.data.counts.get(split, 0) for split in counts} == counts
    assert not [line for line in lines if line.startswith("warning: ") and "say little" not in line]
    assert [choice.name for choice in run.config.choices if choice.name == "input_size"] == ["input_size"]
