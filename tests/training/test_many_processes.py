"""Several processes train what one does, are resumed as exactly, and end together."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.training.engine.several import SECONDS, environment, run_toy
from tests.training.kills import contents
from tests.training.toy import ROOT, train_toy
from zoo.runs.checkpoints import newest
from zoo.runs.run import Run
from zoo.training.callbacks.metrics_csv import read_rows

TWO = {"TOY_DEVICES": "2"}
LOSS = 1e-6
"""The relative difference between the training losses of one process and of two."""


def losses(run: Path) -> list[float]:
    return [row["train/loss"] for row in read_rows(run / "metrics.csv")]


@pytest.mark.parametrize("model", ["rich", pytest.param("duel", marks=pytest.mark.ci)])
def test_two_processes_have_the_losses_of_one(tmp_path: Path, model: str) -> None:
    """With batch statistics, dropout, augmentation and two optimisers."""
    train_toy(tmp_path / "one", "augment.shift=0.1", model=model)
    done = run_toy(tmp_path / "two", model, "augment.shift=0.1", **TWO, TOY_COMPARE="1")
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("replicas equal") == 2
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=LOSS)
    one, two = (Run.open(tmp_path / name) for name in ("one", "two"))
    assert two.record.metrics == one.record.metrics and two.record.test == one.record.test
    assert (two.config.devices, two.record.steps, one.record.steps) == (2, 24, 24)


@pytest.mark.ci
@pytest.mark.parametrize(("settings", "limit"), [(("batch_size=8", "accumulate=2"), 96), (("batch_size=96",), 95)])
def test_accumulated_batches_and_uneven_shares_count_every_item_once(
    tmp_path: Path, settings: tuple[str, ...], limit: int
) -> None:
    """The 95 items of a batch that could hold 96 are shares of 48 and 47."""
    words = ("ema=0", "epochs=2", *settings)
    train_toy(tmp_path / "one", *words, model="plain", limit_train=limit)
    done = run_toy(tmp_path / "two", "plain", *words, **TWO, TOY_LIMIT=str(limit))
    assert done.returncode == 0, done.stderr[-2000:]
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=LOSS)


@pytest.mark.ci
def test_two_processes_go_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    """Killed within an epoch, the second one; each has a state of its own to go on with."""
    words = ("carrying", "augment.shift=0.1")
    whole = run_toy(tmp_path / "whole", *words, **TWO, TOY_SAVE_EVERY="2steps")
    assert whole.returncode == 0, whole.stderr[-2000:]
    accident = {"TOY_SIGNAL_AT": "9", "TOY_SIGNAL": str(int(signal.SIGKILL)), "TOY_SIGNAL_RANK": "1"}
    killed = run_toy(tmp_path / "killed", *words, **TWO, **accident, TOY_SAVE_EVERY="2steps")
    assert killed.returncode != 0
    run = Run.open(tmp_path / "killed")
    assert run.status == "interrupted" and "with rank 1" in run.record.error and "SIGKILL" in run.record.error
    assert newest(run.checkpoints).checkpoint.manifest.step == 8
    resumed = run_toy(tmp_path / "killed")
    assert resumed.returncode == 0, resumed.stderr[-2000:]
    expected, actual = contents(tmp_path / "whole"), contents(tmp_path / "killed")
    assert [name for name in expected if expected[name] != actual.get(name)] == []


@pytest.mark.ci
@pytest.mark.parametrize(("before", "after"), [("1", "2"), ("2", "1")])
def test_another_number_of_processes_goes_on_at_the_same_step_and_order(
    tmp_path: Path, before: str, after: str
) -> None:
    train_toy(tmp_path / "whole", "augment.shift=0.1")
    accident = {"TOY_SIGNAL_AT": "8", "TOY_SIGNAL": str(int(signal.SIGTERM)), "TOY_SIGNAL_RANK": "0"}
    stopped = run_toy(tmp_path / "run", "rich", "augment.shift=0.1", TOY_DEVICES=before, **accident)
    assert stopped.returncode == 128 + signal.SIGTERM, stopped.stderr[-2000:]
    refused = run_toy(tmp_path / "run", TOY_DEVICES=after)
    assert refused.returncode == 1
    assert re.search(rf"the run used {before} process\w*, now it would use {after} process", refused.stderr)
    resumed = run_toy(tmp_path / "run", TOY_DEVICES=after, TOY_INEXACT="1")
    assert resumed.returncode == 0, resumed.stderr[-2000:]
    assert losses(tmp_path / "run") == pytest.approx(losses(tmp_path / "whole"), rel=LOSS)
    assert Run.open(tmp_path / "run").config.devices == int(after)


@pytest.mark.ci
@pytest.mark.parametrize("rank", ["0", "1"])
def test_a_signal_to_any_process_stops_all_of_them_after_the_same_step(tmp_path: Path, rank: str) -> None:
    accident = {"TOY_SIGNAL_AT": "8", "TOY_SIGNAL": str(int(signal.SIGTERM)), "TOY_SIGNAL_RANK": rank}
    stopped = run_toy(tmp_path / "run", "rich", **TWO, **accident)
    assert stopped.returncode == 128 + signal.SIGTERM, stopped.stderr[-2000:]
    run = Run.open(tmp_path / "run")
    assert run.status == "interrupted" and 9 <= run.record.steps <= 11
    assert newest(run.checkpoints).checkpoint.manifest.step == run.record.steps


@pytest.mark.ci
@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_process_ends_the_others_with_one_sentence(tmp_path: Path, rank: int) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "zoo", "train", "cnn", "--limit-train", "128", "--epochs", "500"]
    command += ["--batch-size", "32", "--threads", "1", "--workers", "0", "--devices", "2", "-o", str(tmp_path / "run")]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None and first.stderr is not None
        for line in first.stdout:
            if line.startswith("epoch 1/"):
                break
        other = children(first.pid)[0]
        os.kill(other if rank else first.pid, signal.SIGKILL)
        first.stdout.read()  # until the last process that holds it has ended
        told, code = first.stderr.read(), first.wait(SECONDS)
    assert not lives(other)
    assert told.count("Error: ") == 1 and "Traceback" not in told and len(told.splitlines()) == 2
    assert code == (3 if rank else -signal.SIGKILL)
    how = r"1 \(number \d+ on .+\) was ended by SIGKILL" if rank else "0 no longer answers"
    assert re.search(f"of 2 processes the process with rank {how}, and the others cannot go on without it", told)
    assert f"zoo train --resume {tmp_path / 'run'}" in told


def children(process: int) -> list[int]:
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def lives(process: int) -> bool:
    """Within two seconds; one that nobody has waited for no longer lives."""
    for _ in range(20):
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except OSError:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.ci
def test_what_is_wrong_in_one_process_is_told_once_in_its_words(tmp_path: Path) -> None:
    done = run_toy(tmp_path / "run", "rich", **TWO, TOY_NAN_AT="5", TOY_NAN_RANK="1")
    assert done.returncode == 1
    assert "rich diverged at epoch" in done.stderr
    assert Run.open(tmp_path / "run").record.status == "failed"


@pytest.mark.ci
@pytest.mark.parametrize("method", ["on_step", "on_epoch_end", "on_end"])
def test_a_callback_that_fails_ends_all_processes_after_a_checkpoint(tmp_path: Path, method: str) -> None:
    """Only the first process has callbacks; the other one stops after the same step."""
    broken = run_toy(tmp_path / "run", "rich", **TWO, TOY_CALLBACK=method)
    assert broken.returncode == 1
    said = f"the callback Broken of __main__ failed in {method}"
    assert broken.stderr.count(f"CallbackFailed: {said}") == 1, broken.stderr[-2000:]
    assert "the printer is out of paper" in broken.stderr
    run = Run.open(tmp_path / "run")
    assert run.record.status == "failed" and said in run.record.error
    assert newest(run.checkpoints).checkpoint.manifest.step == run.record.steps
    resumed = run_toy(tmp_path / "run", **TWO)
    assert resumed.returncode == 0, resumed.stderr[-2000:]
    train_toy(tmp_path / "whole")
    assert losses(tmp_path / "run") == pytest.approx(losses(tmp_path / "whole"), rel=LOSS)


@pytest.mark.ci
def test_a_metric_that_is_not_of_all_items_is_refused(tmp_path: Path) -> None:
    done = run_toy(tmp_path / "run", "rich", **TWO, TOY_APART="1")
    assert "the metric share of the task toy is" in done.stderr and "torch.distributed" in done.stderr
