"""Run directories, read without torch."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from zoo.api.errors import BadFile, DiskError, OutputExists
from zoo.api.problem import ImageInput, Problem
from zoo.api.recipe import Recipe
from zoo.runs.checkpoints import write_checkpoint
from zoo.runs.listing import latest_run, list_runs
from zoo.runs.run import DataRecord, Run, RunRecord, Status, check_output, default_output
from zoo.runs.train_config import TrainConfig

INPUT = ImageInput(size=(8, 8))
CONFIG = TrainConfig(model="some/net", plugin="some", plugin_version="1", data="digits", input=INPUT, recipe=Recipe())
DATA = DataRecord(
    source="digits",
    format="digits",
    fingerprint="ab" * 32,
    counts={"train": 9},
    classes=("a", "b"),
    problem=Problem(task="image-classification", input=INPUT, classes=("a", "b"), facts={"channels": 1}),
)
RECORD = RunRecord(
    status="finished",
    created="2026-01-01T00:00:00.000000Z",
    argv=("zoo", "train"),
    model="some/net",
    task="image-classification",
    seeds={"seed": 0},
    versions={"torch": "2.9"},
    git={"commit": "abc", "dirty": True},
    host="elsewhere",
    pid=1,
    metrics={"top1": 0.5},
)


def make(root: Path, name: str, *, created: str = "1", status: Status = "finished", step: int | None = 3) -> Run:
    """A run in root/net/name."""
    run = Run.create(
        root / "net" / name, record=replace(RECORD, created=created, status=status), config=CONFIG, data=DATA
    )
    if step is not None:
        save(run, step)
    return run


def save(run: Run, step: int, model: str = "some/net") -> None:
    """A checkpoint of any bytes."""

    def fill(directory: Path) -> None:
        (directory / "model.safetensors").write_bytes(b"weights")

    write_checkpoint(run.checkpoints, model=model, step=step, epoch=1, metrics={"top1": 0.5}, fill=fill)


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = make(tmp_path, "a")
    assert Run.open(made.path) == made and made.problem.classes == ("a", "b")
    changed = made.update(replace(made.record, epochs=7)).configure(replace(CONFIG, threads=2))
    assert Run.open(made.path) == changed


def test_a_place_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    run = make(tmp_path, "a")
    with pytest.raises(OutputExists, match="exists already"):
        make(tmp_path, "a")
    check_output(run.path, overwrite=True)
    with pytest.raises(OutputExists, match="is still being trained by process"):
        check_output(make(tmp_path, "busy", status="running").path, overwrite=True)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.txt").write_text("words")
    with pytest.raises(OutputExists, match="is not a run, so --overwrite leaves it alone"):
        check_output(tmp_path / "thesis", overwrite=True)


def test_a_place_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match="is not a writable folder"):
        check_output(tmp_path / "file/run")


def test_default_places_are_of_the_model_and_differ() -> None:
    first, second = default_output("some/net"), default_output("some/net")
    assert first.parts[:2] == ("runs", "net") and first != second


def test_a_running_run_whose_process_is_gone_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make(tmp_path, "a", status="running")
    assert run.status == "running"
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    monkeypatch.setattr("zoo.runs.run._alive", lambda pid: pid != 1)
    assert Run.open(run.path).status == "interrupted"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{}", "names no schema"),
        ('{"schema": 7}', "written by a newer zoo"),
        ("{", "cannot be read"),
        ('{"schema": 1}', "is not a valid RunRecord"),
    ],
)
def test_a_damaged_record_is_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    run = make(tmp_path, "a")
    (run.path / "run.json").write_text(text)
    with pytest.raises(BadFile, match=sentence):
        Run.open(run.path)


def test_a_folder_that_is_no_run_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"is not a run directory: it has no run[.]json"):
        Run.open(tmp_path)


def test_the_latest_run_is_the_newest_that_can_be_used(tmp_path: Path) -> None:
    good = make(tmp_path, "good", created="1")
    make(tmp_path, "empty", created="2", step=None)
    make(tmp_path, "failed", created="3", status="failed")
    (make(tmp_path, "broken", created="4").path / "run.json").write_text("{")
    found = latest_run(tmp_path)
    assert found and found.run.path == good.path
    assert len(found.skipped) == 3
    assert any("it is failed" in text for text in found.skipped)
    assert any("no valid checkpoint" in text for text in found.skipped)
    assert [run.path.name for run in list_runs(tmp_path).runs] == ["failed", "empty", "good"]
    assert latest_run(tmp_path / "nowhere") is None


def test_checkpoints_of_another_model_are_refused(tmp_path: Path) -> None:
    run = make(tmp_path, "a", step=None)
    with pytest.raises(BadFile, match="has no valid checkpoint: there is none in") as refused:
        run.checkpoint()
    assert refused.value.hint == f"zoo train --config {run.path}"  # a finished run is not resumed
    save(run, 5, model="other/net")
    with pytest.raises(BadFile, match="holds other/net, but the run is of some/net"):
        run.checkpoint()


def test_a_missing_best_gives_the_newest_and_says_so(tmp_path: Path) -> None:
    run = make(tmp_path, "a", step=3)
    save(run, 9)
    (run.checkpoints / "best.json").write_text(json.dumps({"directory": "step-4"}))
    found = run.checkpoint("best")
    assert found.checkpoint.manifest.step == 9 and "passed over step-4" in found.notes[0]
