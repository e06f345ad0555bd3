"""What a training does about damage, edits, signals and a run that is in its place."""

# ruff: noqa: ARG002

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.training.kills import contents
from tests.training.loop.test_fit import interrupt
from tests.training.toy import Said, resume_toy, train_toy, weights
from zoo.api.callback import Callback, EpochResult
from zoo.api.errors import BadFile, DiskError, OutOfMemory, OutputExists, UsageError
from zoo.runs.replacement import training_place
from zoo.runs.run import Run
from zoo.training.callbacks.metrics_csv import read_rows
from zoo.training.loop.signals import StopSignals


@pytest.fixture
def interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that was stopped after step 16 of 24, with checkpoints of the steps 6, 12 and 16 (or the best of them)."""
    interrupt(monkeypatch, 15)
    train_toy(tmp_path / "run")
    monkeypatch.undo()
    return tmp_path / "run"


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def steps(run: Path) -> set[str]:
    return {path.name for path in (run / "checkpoints").glob("step-*")}


# --- damage ---


def test_damaged_checkpoints_stop_a_resume_and_are_named(interrupted: Path) -> None:
    before = steps(interrupted)
    for name in before:
        cut(interrupted / "checkpoints" / name / "state.pt")
    bytes_before = contents_of(interrupted)
    with pytest.raises(BadFile, match="has no checkpoint to go on from") as refused:
        resume_toy(interrupted)
    assert all(f"{name}/state.pt" in refused.value.message for name in before)
    for part in ("zoo eval", "zoo export", "--from-scratch", *before):
        assert part in refused.value.hint
    assert contents_of(interrupted) == bytes_before
    assert Run.open(interrupted).checkpoint("best").notes == (), "an evaluation needs no optimiser state"


def contents_of(run: Path) -> dict[str, bytes]:
    return {str(path.relative_to(run)): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}


def test_from_scratch_trains_again_and_keeps_what_is_there(interrupted: Path, tmp_path: Path) -> None:
    train_toy(tmp_path / "whole")
    kept = {}
    for name in steps(interrupted):
        cut(interrupted / "checkpoints" / name / "state.pt")
        kept[name] = (interrupted / "checkpoints" / name / "model.safetensors").read_bytes()
    resume_toy(interrupted, from_scratch=True)
    assert weights(interrupted) == weights(tmp_path / "whole")
    aside = interrupted / "checkpoints/aside"
    assert {path.name: (path / "model.safetensors").read_bytes() for path in aside.iterdir()} == kept


def test_a_damaged_checkpoint_beside_a_whole_one_is_kept_aside(interrupted: Path, tmp_path: Path) -> None:
    train_toy(tmp_path / "whole")
    cut(interrupted / "checkpoints/step-16/state.pt")
    damaged = (interrupted / "checkpoints/step-16/state.pt").read_bytes()
    said = Said()
    resume_toy(interrupted, said=said)
    assert any("step-16 is kept in" in text for text in said.sentences)
    assert (interrupted / "checkpoints/aside/step-16/state.pt").read_bytes() == damaged
    assert weights(interrupted) == weights(tmp_path / "whole")


def test_a_run_whose_best_pointer_is_torn_says_which_checkpoint_it_takes(interrupted: Path) -> None:
    (interrupted / "checkpoints/best.json").write_text('{"direc')
    assert "best.json cannot be read" in Run.open(interrupted).checkpoint("best").notes[0]
    resume_toy(interrupted)
    assert Run.open(interrupted).checkpoint("best").notes == ()


def test_the_metrics_are_those_of_the_checkpoint_whatever_happened_to_the_file(
    interrupted: Path, tmp_path: Path
) -> None:
    train_toy(tmp_path / "whole")
    (interrupted / "metrics.csv").write_bytes(b"\0\0\0")
    resume_toy(interrupted)
    assert contents(interrupted)["metrics.csv"] == contents(tmp_path / "whole")["metrics.csv"]


# --- edits ---


def test_an_edited_config_is_refused_with_what_differs(interrupted: Path) -> None:
    file = interrupted / "config.json"
    config = json.loads(file.read_text())
    config["recipe"]["lr"], config["seed"] = 0.5, 9
    file.write_text(json.dumps(config))
    with pytest.raises(UsageError, match=r"was edited .*seed is 9, and was 0; recipe\.lr is 0\.5, and was 0\.05") as no:
        resume_toy(interrupted)
    assert "zoo train --config" in no.value.hint


def test_a_config_on_another_machine_is_not_an_edited_one(interrupted: Path) -> None:
    file = interrupted / "config.json"
    config = json.loads(file.read_text())
    config["data_root"], config["save_every"] = "/elsewhere", "5steps"
    file.write_text(json.dumps(config))
    resume_toy(interrupted)


# --- a run in the place ---


def test_overwriting_replaces_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train_toy(tmp_path / "run", "epochs=1")
    before = contents_of(tmp_path / "run")
    interrupt(monkeypatch, 15)
    stopped = train_toy(tmp_path / "run", overwrite=True)
    monkeypatch.undo()
    assert stopped.run.path == tmp_path / "run.new" and stopped.outcome.status == "interrupted"
    assert contents_of(tmp_path / "run") == before
    with pytest.raises(OutputExists, match=r"run\.new is a training that was to replace") as refused:
        train_toy(tmp_path / "run", overwrite=True)
    assert "zoo train --resume" in refused.value.hint
    ended = resume_toy(tmp_path / "run.new")
    assert ended.run.path == tmp_path / "run" and not (tmp_path / "run.new").exists()
    run = Run.open(tmp_path / "run")
    assert (run.status, run.record.steps, run.record.replaces) == ("finished", 24, "")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_failed_training_leaves_the_run_that_it_was_to_replace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_toy(tmp_path / "run", "epochs=1")
    before = contents_of(tmp_path / "run")
    monkeypatch.setenv("TOY_NAN_AT", "2")
    for _ in range(2):  # the second time what failed is in the way, and may be replaced
        with pytest.raises(Exception, match="diverged"):
            train_toy(tmp_path / "run", overwrite=True)
    assert contents_of(tmp_path / "run") == before
    monkeypatch.undo()
    train_toy(tmp_path / "run", "epochs=2", overwrite=True)
    assert Run.open(tmp_path / "run").record.epochs == 2


def test_a_training_killed_before_it_took_its_place_takes_it_when_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_toy(tmp_path / "run", "epochs=1")
    monkeypatch.setattr("zoo.training.launch.start.take_place", lambda run: run)
    train_toy(tmp_path / "run", "epochs=2", overwrite=True)
    monkeypatch.undo()
    assert Run.open(tmp_path / "run.new").status == "finished"
    assert resume_toy(tmp_path / "run.new").run.path == tmp_path / "run"
    assert Run.open(tmp_path / "run").record.epochs == 2
    with pytest.raises(UsageError, match="is finished"):
        resume_toy(tmp_path / "run")


def test_what_is_no_run_is_not_trained_over(tmp_path: Path) -> None:
    train_toy(tmp_path / "run", "epochs=1")
    (tmp_path / "run.new").mkdir()
    (tmp_path / "run.new/thesis.txt").write_text("words")
    with pytest.raises(OutputExists, match=r"run\.new is in the way"):
        training_place(tmp_path / "run", overwrite=True)


# --- signals ---


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM], ids=lambda number: number.name)
def test_every_signal_that_ends_a_training_saves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    interrupt(monkeypatch, 7, number)
    ended = train_toy(tmp_path / "run")
    assert (ended.outcome.reason, ended.outcome.signal, ended.outcome.steps) == (number.name, number, 8)
    assert ended.run.checkpoint("last", resumable=True).checkpoint.manifest.step == 8


def test_a_handler_of_the_program_and_an_ignored_signal_stay() -> None:
    received: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: received.append(number))
    ignored = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals() as signals:
            os.kill(os.getpid(), signal.SIGUSR1)
            os.kill(os.getpid(), signal.SIGHUP)
        assert (received, signals.received) == ([signal.SIGUSR1], None)
    finally:
        signal.signal(signal.SIGUSR1, before)
        signal.signal(signal.SIGHUP, ignored)


def test_a_signal_during_the_test_is_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.training.launch import run_training

    whole = run_training._load_best

    def load_and_stop(run: Run, training: Any) -> None:
        whole(run, training)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(run_training, "_load_best", load_and_stop)
    ended = train_toy(tmp_path / "run")
    monkeypatch.undo()
    assert (ended.outcome.status, ended.outcome.reason) == ("interrupted", "SIGTERM")
    resume_toy(tmp_path / "run")
    train_toy(tmp_path / "whole")
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


# --- saving ---


@pytest.mark.parametrize(("every", "expected"), [("4steps", [4, 6, 8, 12, 16, 18, 20, 24]), ("10min", [6, 12, 18, 24])])
def test_saving_within_an_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: str, expected: list[int]
) -> None:
    saved: list[int] = []

    class Saves(Callback):
        def on_checkpoint(self, event: Any) -> None:
            saved.append(event.step)

    train_toy(tmp_path / "run", save_every=every, callbacks=[Saves()])
    assert saved == expected
    assert {"step-24", "step-18"} <= steps(tmp_path / "run") and len(steps(tmp_path / "run")) <= 3


@pytest.mark.parametrize("text", ["soon", "0steps", "0min", "-5steps", "5 stepsmin", ""])
def test_an_interval_that_is_none_is_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="--save-every"):
        train_toy(tmp_path / "run", save_every=text or "steps")


def test_files_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        train_toy(tmp_path / "run", "epochs=1")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "run").rglob("*") if path.is_file()}
    assert {name: mode for name, mode in modes.items() if mode != 0o640 and name != "training.lock"} == {}


def test_a_callback_gets_its_state_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Counts(Callback):
        epochs = 0

        def on_epoch_end(self, result: EpochResult) -> None:
            self.epochs += 1

        def state_dict(self) -> dict[str, int]:
            return {"epochs": self.epochs}

        def load_state_dict(self, state: Any) -> None:
            self.epochs = state["epochs"]

    interrupt(monkeypatch, 15)
    train_toy(tmp_path / "run", callbacks=[Counts()])
    monkeypatch.undo()
    counts = Counts()
    resume_toy(tmp_path / "run", callbacks=[counts])
    assert counts.epochs == 4


def test_a_run_that_is_removed_while_it_trains_is_not_made_anew(tmp_path: Path) -> None:
    class Removes(Callback):
        def on_epoch_end(self, result: EpochResult) -> None:
            (tmp_path / "run").rename(tmp_path / "moved")

    with pytest.raises(DiskError, match="was moved or removed while it was being trained"):
        train_toy(tmp_path / "run", callbacks=[Removes()])
    assert [path.name for path in tmp_path.iterdir()] == ["moved"]


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried …")]
)
def test_out_of_memory_names_the_batch_size_to_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("tests.training.toy.ToyTrainer.step", raising(error))
    with pytest.raises(OutOfMemory, match=r"rich ran out of memory at step 1 with batches of 16") as stopped:
        train_toy(tmp_path / "run")
    assert "--batch-size 8" in stopped.value.hint


def raising(error: Exception) -> Callable[..., Any]:
    def step(*_: object) -> None:
        raise error

    return step


def test_a_number_that_comes_later_becomes_a_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.training.callbacks import metrics_csv

    whole = metrics_csv.row
    monkeypatch.setattr(
        metrics_csv, "row", lambda result: {**whole(result), **({"extra": 1.0} if result.epoch > 1 else {})}
    )
    train_toy(tmp_path / "run", "epochs=3")
    rows = read_rows(tmp_path / "run/metrics.csv")
    assert [row["extra"] for row in rows[1:]] == [1.0, 1.0] and rows[0]["extra"] != rows[0]["extra"]


def test_a_target_that_is_a_damaged_run_is_still_evaluated(interrupted: Path) -> None:
    for name in steps(interrupted):
        (interrupted / "checkpoints" / name / "state.pt").unlink()
    assert Run.open(interrupted).checkpoint("last").checkpoint.manifest.step == 16
