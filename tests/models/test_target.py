"""What TARGET means, in order: an existing path, model@tag, a model's name; without one, the latest run."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo import Catalog, ImageInput, ModelSpec, Problem, Recipe, WeightsSpec
from zoo.api.errors import UnknownName, UsageError
from zoo.models.target import (
    BundleTarget,
    ModelTarget,
    OnnxTarget,
    RunTarget,
    WeightsTarget,
    find_target,
)
from zoo.models.weights.source import published_source
from zoo.registry.loader import Plugin
from zoo.runs.checkpoints import point, write_checkpoint
from zoo.runs.run import DataRecord, Run, RunRecord
from zoo.runs.train_config import TrainConfig

INPUT = ImageInput(size=(8, 8))
CATALOG = Catalog(
    plugins=(
        Plugin(
            name="house",
            models=(
                ModelSpec(name="tiny", task="gazing", builder="a:b", trainer="t", input=INPUT),
                ModelSpec(name="bare", task="gazing", builder="a:b", trainer="t", input=INPUT),
            ),
            weights=(WeightsSpec(model="tiny", tag="v1", licence="MIT", sha256="0" * 64, url="https://example.org"),),
        ),
    )
)


def make_run(path: Path, *, created: str, status: Any = "finished", checkpoint: bool = True) -> Path:
    """A run directory with one checkpoint that holds no real weights."""
    record = RunRecord(
        status=status,
        created=f"2026-11-{created}T00:00:00.000000Z",
        argv=("zoo", "train", "tiny"),
        model="house/tiny",
        task="gazing",
        seeds={"run": 0},
        versions={},
        host=socket.gethostname(),
        pid=os.getpid(),
        metrics={"wonder": 0.5},
    )
    config = TrainConfig(
        model="house/tiny", plugin="house", plugin_version="1", data="stars", input=INPUT, recipe=Recipe()
    )
    problem = Problem(task="gazing", input=INPUT, classes=("near", "far"))
    data = DataRecord(source="stars", format="stars", fingerprint="0", counts={"train": 3}, problem=problem)
    run = Run.create(path, record=record, config=config, data=data)
    if checkpoint:
        written = write_checkpoint(run.checkpoints, model="house/tiny", step=3, epoch=1, metrics={}, fill=write_weights)
        point(run.checkpoints, "best", written)
    return path


def write_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"weights")


def test_paths_come_first(tmp_path: Path) -> None:
    run = make_run(tmp_path / "tiny", created="01")
    assert find_target(str(run), CATALOG) == RunTarget(run=Run.open(run), model=CATALOG.model("tiny"))
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "manifest.json").write_text("{}")
    assert find_target(str(bundle), CATALOG) == BundleTarget(path=bundle)
    (bundle / "model.onnx").write_text("")
    assert find_target(str(bundle / "model.onnx"), CATALOG) == OnnxTarget(path=bundle / "model.onnx")


def test_a_run_named_like_a_model_is_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "tiny", created="01")
    monkeypatch.chdir(tmp_path)
    assert find_target("tiny", CATALOG) == RunTarget(run=Run.open(Path("tiny")), model=CATALOG.model("tiny"))


def test_a_folder_named_like_a_model_does_not_hide_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_target("tiny", CATALOG, untrained=True) == ModelTarget(model=CATALOG.model("tiny"))
    with pytest.raises(UsageError, match="tiny alone is a bare architecture"):
        find_target("tiny", CATALOG)


def test_weights_are_found_by_name() -> None:
    target = find_target("tiny@v1", CATALOG)
    model, weights = CATALOG.model("tiny"), CATALOG.weight("tiny@v1")
    assert target == WeightsTarget(model=model, source=published_source(CATALOG, weights, model))
    assert isinstance(target, WeightsTarget)
    assert (target.published, target.source.name) == (weights, "house/tiny@house/v1")


@pytest.mark.parametrize(("name", "example"), [("tiny", "tiny@v1"), ("bare", "bare@TAG")])
def test_a_bare_architecture_is_refused_unless_asked_for(name: str, example: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_target(name, CATALOG)
    assert caught.value.hint == (
        f"train it (zoo train {name}), name weights ({example}), or export it as it is with --untrained"
    )
    assert find_target(name, CATALOG, untrained=True) == ModelTarget(model=CATALOG.model(name))
    with pytest.raises(UsageError, match="needs the name of a model"):
        find_target(None, CATALOG, untrained=True)


def test_a_name_of_nothing_says_what_was_tried(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", created="01")
    (tmp_path / "notes.txt").write_text("")
    for text, sentence in (
        ("tniy", "no model named 'tniy', and there is no file or folder tniy here\ndid you mean tiny"),
        (str(tmp_path / "urn"), f"{tmp_path / 'urn'} does not exist, and no model named"),
        ("gone/run", "gone/run does not exist, and no model named 'gone/run': no plugin 'gone' is installed"),
        (str(tmp_path), f"{tmp_path} is neither a run (no run.json in it) nor a bundle (no manifest.json), and no mod"),
        (str(run / "checkpoints"), f"{run / 'checkpoints'} is a part of the run {run}"),
        (str(tmp_path / "notes.txt"), f"{tmp_path / 'notes.txt'} is a file, but not an .onnx file, and no model"),
    ):
        with pytest.raises(UsageError) as caught:
            find_target(text, CATALOG)
        assert str(caught.value).startswith(sentence)
    with pytest.raises(UnknownName):
        find_target("tiny@v2", CATALOG)


def test_where_no_run_can_be_taken_each_is_named(tmp_path: Path) -> None:
    running = make_run(tmp_path / "tiny" / "a", created="01", status="running")
    with pytest.raises(UsageError) as caught:
        find_target(None, CATALOG, tmp_path)
    assert caught.value.message == f"there is no run in {tmp_path} to take; skipped {running}: it is running"
    assert caught.value.hint == "name a TARGET: a run that is being trained gives its best checkpoint so far"
    for name, created in (("b", "02"), ("c", "03"), ("d", "04")):
        make_run(tmp_path / "tiny" / name, created=created, status="failed")
    with pytest.raises(UsageError, match=r"it is failed; 1 more\n"):
        find_target(None, CATALOG, tmp_path)


def test_the_latest_run_is_taken_and_skipped_ones_are_named(tmp_path: Path) -> None:
    make_run(tmp_path / "tiny" / "a", created="01")
    taken = make_run(tmp_path / "tiny" / "b", created="03", status="interrupted")
    make_run(tmp_path / "other" / "c", created="02")
    failed = make_run(tmp_path / "tiny" / "d", created="05", status="failed")
    empty = make_run(tmp_path / "tiny" / "e", created="04", checkpoint=False)
    target = find_target(None, CATALOG, tmp_path)
    assert isinstance(target, RunTarget)
    assert target.path == taken
    assert target.notes == (
        f"skipped {failed}: it is failed",
        f"skipped {empty}: the run {empty} has no valid checkpoint: there is none in {empty / 'checkpoints'}",
        f"taking the latest run, {taken}",
    )


def test_no_run_at_all_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no run in .* to take\ntrain one"):
        find_target(None, CATALOG, tmp_path)


def test_runs_are_listed_newest_first(tmp_path: Path, zoo_command: Callable[..., Any]) -> None:
    older = make_run(tmp_path / "tiny" / "a", created="01")
    newer = make_run(tmp_path / "tiny" / "b", created="02", status="interrupted")
    (tmp_path / "tiny" / "c").mkdir()
    (tmp_path / "tiny" / "c" / "run.json").write_text("{")
    said = zoo_command("runs", "--runs-root", str(tmp_path))
    lines = said.out.splitlines()
    assert lines[0].split() == ["run", "status", "model", "data", "epochs", "validation", "age"]
    assert lines[1].split()[:7] == [str(newer), "interrupted", "house/tiny", "stars", "0", "wonder", "0.5"]
    assert lines[2].split()[:2] == [str(older), "finished"]
    assert lines[3] == f"next: zoo train --resume {newer}"
    assert f"{tmp_path / 'tiny' / 'c' / 'run.json'} cannot be read" in said.err
    document = zoo_command("runs", "--runs-root", str(tmp_path), "--json").json
    assert [run["run"] for run in document["runs"]] == [str(newer), str(older)]
    assert len(document["unreadable"]) == 1


def test_a_run_is_described_with_its_plugin(tmp_path: Path, zoo_command: Callable[..., Any]) -> None:
    run = make_run(tmp_path / "tiny" / "a", created="01")
    document = zoo_command("info", str(run), "--json").json
    assert (document["kind"], document["status"]) == ("run", "finished")
    assert document["plugin"] == {"name": "house", "version": "1"}
    said = zoo_command("info", str(run))
    assert ["plugin", "house", "1"] in [line.split() for line in said.out.splitlines()]
    assert said.out.splitlines()[-1] == f"next: zoo export {run} --onnx"
