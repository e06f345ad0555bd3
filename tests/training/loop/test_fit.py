"""The loop with everything around it, on a toy."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training.toy import ROOT, DuelTrainer, Points, Said, Share, ToyTask, resume_toy, train_toy, weights
from zoo.api.callback import Callback, EpochResult
from zoo.api.data import DataCard
from zoo.api.errors import Diverged, OutputExists, UsageError
from zoo.api.problem import Problem
from zoo.runs.checkpoints import newest
from zoo.runs.run import Run
from zoo.training.callbacks.metrics_csv import read_rows
from zoo.training.loop.progress_events import remaining

STEPS = 24  # 96 items, batches of 16, 4 epochs


def interrupt(monkeypatch: pytest.MonkeyPatch, step: int, number: int = signal.SIGINT) -> None:
    """Let the toy send itself a signal in one step."""
    monkeypatch.setenv("TOY_SIGNAL_AT", str(step))
    monkeypatch.setenv("TOY_SIGNAL", str(int(number)))


def test_a_training_leaves_a_whole_run(tmp_path: Path) -> None:
    ended = train_toy(tmp_path / "run")
    run = Run.open(tmp_path / "run")
    assert (run.status, run.record.steps, run.record.epochs) == ("finished", STEPS, 4)
    assert run.record.metrics["share"] > 0.7 and run.record.test["share"] > 0.7
    assert [row["epoch"] for row in read_rows(run.path / "metrics.csv")] == [1, 2, 3, 4]
    assert run.checkpoint("last").checkpoint.manifest.step == STEPS
    assert run.checkpoint("best").checkpoint.manifest.epoch == run.record.best_epoch == ended.outcome.best_epoch
    assert run.checkpoint("best").checkpoint.manifest.metrics == run.record.metrics
    for name in ("config.json", "data.json", "report.html", "pictures/curves.png"):
        assert (run.path / name).stat().st_size > 100
    assert list((run.path / "tensorboard").iterdir())
    kept = {path.name for path in run.checkpoints.glob("step-*")}
    assert len(kept) <= 3


def test_a_trainer_may_choose_its_best_checkpoint_by_another_metric_than_the_task(tmp_path: Path) -> None:
    for model, choose in (("rich", max), ("contrary", min)):
        run = train_toy(tmp_path / model, "ema=0", model=model).run
        rows = read_rows(run.path / "metrics.csv")
        shares = [row["validation/share"] for row in rows]
        assert len(set(shares)) > 1
        ties = [row for row in rows if row["validation/share"] == choose(shares)]
        assert run.record.best_epoch == min(ties, key=lambda row: row["validation/loss"])["epoch"]
        assert run.record.metrics["share"] == pytest.approx(choose(shares))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_and_another_others(tmp_path: Path) -> None:
    for place, seed in (("a", 1), ("b", 1), ("c", 2)):
        train_toy(tmp_path / place, seed=seed)
    assert weights(tmp_path / "a") == weights(tmp_path / "b") != weights(tmp_path / "c")


@pytest.mark.parametrize("model", ["rich", "duel", "listed"])
@pytest.mark.parametrize("step", [2, 5, 16])
def test_resuming_after_ctrl_c_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, step: int) -> None:
    train_toy(tmp_path / "whole", "augment.shift=0.1", model=model)
    if model == "duel":
        monkeypatch.setattr("tests.training.toy.DuelTrainer.step", _signalling(step))
    else:
        interrupt(monkeypatch, step)
    ended = train_toy(tmp_path / "halves", "augment.shift=0.1", model=model)
    assert (ended.outcome.status, ended.outcome.signal, ended.outcome.steps) == ("interrupted", signal.SIGINT, step + 1)
    assert Run.open(tmp_path / "halves").status == "interrupted"
    monkeypatch.undo()
    resume_toy(tmp_path / "halves")
    assert weights(tmp_path / "halves") == weights(tmp_path / "whole")
    rows, halves = (read_rows(tmp_path / name / "metrics.csv") for name in ("whole", "halves"))
    untimed = [{name: row[name] for name in ("epoch", "step", "lr", "train/loss", "validation/share")} for row in rows]
    assert untimed == [{name: row[name] for name in untimed[0]} for row in halves]


def _signalling(step: int):  # type: ignore[no-untyped-def]
    whole = DuelTrainer.step

    def stepping(self, context, batch):  # type: ignore[no-untyped-def]
        if context.step == step:
            signal.raise_signal(signal.SIGINT)
        return whole(self, context, batch)

    return stepping


@pytest.mark.slow
@pytest.mark.parametrize("step", [0, 9, 17])
def test_resuming_after_kill_9_is_exact(tmp_path: Path, step: int) -> None:
    train_toy(tmp_path / "whole")
    place = tmp_path / "killed"
    command = [sys.executable, "-m", "tests.training.toy", str(place), "rich"]
    accident = {"TOY_SIGNAL_AT": str(step), "TOY_SIGNAL": str(int(signal.SIGKILL))}
    assert subprocess.run(command, cwd=ROOT, env=_environment(accident), check=False).returncode == -signal.SIGKILL
    assert json.loads((place / "run.json").read_text())["status"] == "running"
    assert Run.open(place).status == "interrupted"
    said = Said()
    resume_toy(place, said=said)
    assert weights(place) == weights(tmp_path / "whole")
    assert any("begins again" in text for text in said.sentences) == (step == 0)
    assert [row["epoch"] for row in read_rows(place / "metrics.csv")] == [1, 2, 3, 4]


def _environment(more: dict[str, str]) -> dict[str, str]:
    paths = [str(ROOT), str(ROOT / "plugins"), str(ROOT / "export")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}


@pytest.mark.slow
def test_a_torn_checkpoint_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train_toy(tmp_path / "whole")
    interrupt(monkeypatch, 15)
    train_toy(tmp_path / "torn")
    monkeypatch.undo()
    state = tmp_path / "torn/checkpoints/step-16/state.pt"
    state.write_bytes(state.read_bytes()[:-100])
    said = Said()
    resume_toy(tmp_path / "torn", said=said)
    assert any("passed over step-16" in text for text in said.sentences)
    assert weights(tmp_path / "torn") == weights(tmp_path / "whole")


def test_a_checkpoint_with_other_bytes_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(monkeypatch, 15)
    train_toy(tmp_path / "run")
    model = tmp_path / "run/checkpoints/step-16/model.safetensors"
    data = bytearray(model.read_bytes())
    data[-1] ^= 1
    model.write_bytes(data)
    assert newest(tmp_path / "run/checkpoints").checkpoint.manifest.step == 12


def test_leftovers_of_a_killed_save_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(monkeypatch, 7)
    train_toy(tmp_path / "run")
    leftover = tmp_path / "run/checkpoints/.step-9.abcd1234.tmp"
    leftover.mkdir()
    monkeypatch.undo()
    resume_toy(tmp_path / "run")
    assert not leftover.exists()


def test_resuming_refuses_other_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(monkeypatch, 7)
    train_toy(tmp_path / "run")
    monkeypatch.undo()
    monkeypatch.setattr(ToyTask, "fingerprint", "0" * 64)
    with pytest.raises(UsageError, match="has changed since"):
        resume_toy(tmp_path / "run")
    monkeypatch.setattr("tests.training.toy.CLASSES", ("a", "b", "d"))
    with pytest.raises(UsageError, match="other classes"):
        resume_toy(tmp_path / "run")


def test_resuming_elsewhere_is_inexact_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(monkeypatch, 7)
    train_toy(tmp_path / "run")
    monkeypatch.undo()
    file = tmp_path / "run/run.json"
    record = json.loads(file.read_text())
    record["versions"]["torch"] = "2.0.0"
    file.write_text(json.dumps(record))
    with pytest.raises(UsageError, match=r"torch was 2\.0\.0") as refused:
        resume_toy(tmp_path / "run")
    assert "--allow-inexact" in refused.value.hint
    assert resume_toy(tmp_path / "run", allow_inexact=True).run.status == "finished"
    assert "torch was 2.0.0" in Run.open(tmp_path / "run").record.notes[0]


def test_a_finished_run_is_not_resumed(tmp_path: Path) -> None:
    train_toy(tmp_path / "run", epochs=1)
    with pytest.raises(UsageError, match="is finished"):
        resume_toy(tmp_path / "run")


def test_accumulating_equals_one_big_batch(tmp_path: Path) -> None:
    train_toy(tmp_path / "big", "batch_size=32", model="plain")
    train_toy(tmp_path / "small", "batch_size=8", "accumulate=4", model="plain")
    big, small = (load_file(newest(tmp_path / name / "checkpoints").checkpoint.model) for name in ("big", "small"))
    for name, tensor in big.items():
        torch.testing.assert_close(small[name], tensor, rtol=1e-4, atol=1e-6)


def test_reading_ahead_changes_nothing(tmp_path: Path) -> None:
    train_toy(tmp_path / "a")
    train_toy(tmp_path / "b", workers=3)
    assert weights(tmp_path / "a") == weights(tmp_path / "b")


def test_a_loss_that_is_no_number_stops_and_names_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_NAN_AT", "14")
    with pytest.raises(Diverged, match=r"rich diverged at epoch 3, step \d+: .* 3 steps in a row") as stopped:
        train_toy(tmp_path / "run")
    assert "checkpoints/step-12" in stopped.value.hint and "--lr 0.02" in stopped.value.hint
    run = Run.open(tmp_path / "run")
    assert run.status == "failed" and "no number" not in run.record.error and "finite" in run.record.error
    assert run.checkpoint("last").checkpoint.manifest.step == 12


def test_a_bad_loss_in_the_last_step_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_NAN_AT", str(STEPS - 1))
    with pytest.raises(Diverged, match="the last loss was not a finite number"):
        train_toy(tmp_path / "run")
    assert Run.open(tmp_path / "run").checkpoint("last").checkpoint.manifest.step == 18


def test_scores_that_json_cannot_hold_are_left_out_of_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Share, "compute", lambda _: {"share": float("inf"), "other": float("nan"), "same": 0.5})
    run = train_toy(tmp_path / "run", epochs=2).run
    losses = [row["validation/loss"] for row in read_rows(run.path / "metrics.csv")]
    assert run.record.best_epoch == losses.index(min(losses)) + 1 and Run.open(run.path).record == run.record
    assert run.record.metrics == run.record.test == run.checkpoint("best").checkpoint.manifest.metrics == {"same": 0.5}


class _Cut(Exception):
    """The process dies here."""


def test_a_run_killed_before_it_could_point_at_its_best_has_the_same_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise _Cut

    whole = train_toy(tmp_path / "whole").run
    monkeypatch.setattr("zoo.training.callbacks.checkpoints.point", cut)
    with pytest.raises(_Cut):
        train_toy(tmp_path / "cut")
    monkeypatch.undo()
    interrupt(monkeypatch, 7)
    resume_toy(tmp_path / "cut")
    best = json.loads((tmp_path / "cut/checkpoints/best.json").read_text())
    assert (best["directory"], best["step"]) == ("step-6", 6)
    monkeypatch.undo()
    assert resume_toy(tmp_path / "cut").run.record.metrics == whole.record.metrics
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


def test_a_run_killed_when_its_patience_was_at_an_end_trains_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise _Cut

    settings = ("lr=1e-9", "epochs=9", "patience=2")
    whole = train_toy(tmp_path / "whole", *settings)
    monkeypatch.setattr("zoo.training.loop.fit.Fit._stop", cut)
    with pytest.raises(_Cut):
        train_toy(tmp_path / "cut", *settings)
    monkeypatch.undo()
    ended = resume_toy(tmp_path / "cut")
    assert (ended.outcome.reason, ended.outcome.steps) == (whole.outcome.reason, whole.outcome.steps)
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


def test_the_test_split_is_measured_once_when_every_choice_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other test items change nothing but the test's own numbers."""
    asked: list[int | str] = []
    plain = ToyTask.dataset

    class Steps(Callback):
        def on_epoch_end(self, result: EpochResult) -> None:
            asked.append(result.epoch)

    def dataset(task: ToyTask, card: DataCard, split: str, problem: Problem) -> Points:
        if split == "test":
            asked.append(split)
            return Points(40, seed=1234)
        return plain(task, card, split, problem)

    one = train_toy(tmp_path / "one", "epochs=3", "patience=2").run.record
    monkeypatch.setattr(ToyTask, "dataset", dataset)
    other = train_toy(tmp_path / "other", "epochs=3", "patience=2", callbacks=[Steps()]).run.record
    assert asked == [1, 2, 3, "test"]
    assert one.test != other.test
    assert (one.metrics, one.best_epoch, one.epochs) == (other.metrics, other.best_epoch, other.epochs)
    assert weights(tmp_path / "one") == weights(tmp_path / "other")


def test_equal_scores_are_ranked_by_the_loss_also_across_a_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Share, "compute", lambda _: {"share": 1.0})
    whole = train_toy(tmp_path / "whole").run
    losses = [row["validation/loss"] for row in read_rows(whole.path / "metrics.csv")]
    assert losses[0] > min(losses) and whole.record.best_epoch == losses.index(min(losses)) + 1
    assert whole.checkpoint("best").checkpoint.manifest.epoch == whole.record.best_epoch
    interrupt(monkeypatch, step=14)  # within the third epoch
    train_toy(tmp_path / "halves")
    monkeypatch.delenv("TOY_SIGNAL_AT")
    halves = resume_toy(tmp_path / "halves").run
    assert (halves.record.best_epoch, halves.record.metrics) == (whole.record.best_epoch, whole.record.metrics)
    assert read_rows(halves.path / "metrics.csv")[-1]["validation/loss"] == losses[-1]


def test_without_a_validation_loss_the_first_of_equal_scores_stays_the_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Share, "compute", lambda _: {"share": 1.0})
    run = train_toy(tmp_path / "run", "patience=2", model="duel").run
    assert (run.record.best_epoch, run.record.epochs) == (1, 3)


def test_patience_ends_a_training_that_no_longer_improves(tmp_path: Path) -> None:
    ended = train_toy(tmp_path / "run", "lr=1e-9", "epochs=9", "patience=2")
    assert ended.outcome.reason == "no better for 2 epochs"
    assert ended.outcome.epochs == (ended.outcome.best_epoch or 0) + 2 < 9


def test_what_stops_after_a_step_is_what_an_interrupted_training_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ("schedule=onecycle", "epochs=4")
    interrupt(monkeypatch, 7)
    assert train_toy(tmp_path / "interrupted", *settings).outcome.status == "interrupted"
    monkeypatch.undo()
    stopped = train_toy(tmp_path / "stopped", *settings, stop_after=8)
    assert (stopped.outcome.reason, stopped.outcome.steps) == ("all steps", 8)
    assert weights(tmp_path / "stopped") == weights(tmp_path / "interrupted")
    assert train_toy(tmp_path / "planned", *settings, max_steps=8).outcome.steps == 8
    assert weights(tmp_path / "planned") != weights(tmp_path / "stopped"), "its learning rates end with step 8"


@pytest.mark.slow
def test_steps_and_time_are_limits(tmp_path: Path) -> None:
    assert train_toy(tmp_path / "steps", max_steps=7).outcome.steps == 7
    ended = train_toy(tmp_path / "time", "epochs=100000", max_time="1s")
    assert (ended.outcome.reason, ended.outcome.status) == ("time is up", "finished")


def test_the_config_of_a_run_replays_it(tmp_path: Path) -> None:
    train_toy(tmp_path / "first", "lr=0.03", seed=5)
    train_toy(tmp_path / "second", config=tmp_path / "first/config.json")
    assert weights(tmp_path / "first") == weights(tmp_path / "second")
    assert Run.open(tmp_path / "second").config.recipe.lr == 0.03


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    train_toy(tmp_path / "run", epochs=1)
    before = (tmp_path / "run/run.json").read_bytes()
    with pytest.raises(OutputExists, match="exists already"):
        train_toy(tmp_path / "run", epochs=1)
    assert (tmp_path / "run/run.json").read_bytes() == before


def test_a_frozen_backbone_keeps_its_weights_and_statistics(tmp_path: Path) -> None:
    train_toy(tmp_path / "first", "ema=0")
    train_toy(tmp_path / "second", "ema=0", "epochs=2", weights=str(tmp_path / "first"), freeze="backbone")
    start = load_file(Run.open(tmp_path / "first").checkpoint("best").checkpoint.model)
    end = load_file(newest(tmp_path / "second/checkpoints").checkpoint.model)
    moved = {name for name in start if not torch.equal(start[name], end[name])}
    assert moved == {"4.weight", "4.bias"}


@pytest.mark.ci
@pytest.mark.parametrize("model", ["rich", "duel", "listed"])
def test_two_processes_train_equal_replicas(tmp_path: Path, model: str) -> None:
    place = tmp_path / "run"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "tests.training.toy", str(place), model, "epochs=2"]
    done = subprocess.run(
        command, cwd=ROOT, env=_environment({"TOY_COMPARE": "1"}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    run = Run.open(place)
    assert (run.status, run.config.devices, run.record.steps) == ("finished", 2, 12)
    assert done.stdout.count("replicas equal") == 2


@pytest.mark.parametrize(("limit", "seconds"), [(None, 60.0), (100.0, 60.0), (50.0, 30.0), (10.0, 0.0)])
def test_the_time_left_knows_the_limit(limit: float | None, seconds: float) -> None:
    assert remaining(60.0, limit=limit, elapsed=20.0) == seconds
