"""The tensor files of a checkpoint, and what becomes of them on a bad disk or from bad hands."""

from __future__ import annotations

import errno
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError
from torch import nn

from zoo.api.errors import BadFile, DiskError
from zoo.runs.checkpoints import MODEL, STATE, Checkpoint, write_checkpoint
from zoo.training.loop.progress import Progress
from zoo.training.loop.state import read_state, write_state
from zoo.training.trainers.classification import ClassificationTrainer

FULL = Path("/dev/full")


def parts() -> dict[str, Any]:
    model = nn.Linear(64, 64)
    optimizer = torch.optim.AdamW(model.parameters())
    return {"modules": {"model": model}, "optimizers": {"model": optimizer}, "trainer": ClassificationTrainer()}


def fill(directory: Path) -> None:
    made = parts()
    model = made["modules"]["model"]
    write_state(directory, model=model, **made, average=None, progress=Progress(step=3), scaler={})


def test_a_full_disk_is_the_systems_own_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("zoo.training.loop.state.save_file", full)
    with pytest.raises(OSError, match="No space left") as refused:
        fill(tmp_path)
    assert refused.value.errno == errno.ENOSPC


@pytest.mark.skipif(not FULL.exists(), reason="a device that is always full")
def test_a_checkpoint_that_does_not_fit_leaves_the_older_one(tmp_path: Path) -> None:
    def full(directory: Path) -> None:
        (directory / STATE).symlink_to(FULL)
        fill(directory)

    older = write_checkpoint(tmp_path, model="a/b", step=1, epoch=0, metrics={}, fill=fill)
    with pytest.raises(DiskError, match="no space left to write"):
        write_checkpoint(tmp_path, model="a/b", step=2, epoch=0, metrics={}, fill=full)
    assert [path.name for path in tmp_path.iterdir()] == [older.path.name]
    older.verify()


@pytest.mark.parametrize("name", [MODEL, STATE])
def test_a_checkpoint_that_holds_something_else_is_a_sentence_and_runs_nothing(tmp_path: Path, name: str) -> None:
    def hostile(directory: Path) -> None:
        fill(directory)
        (directory / name).write_bytes(pickle.dumps(Path))

    checkpoint: Checkpoint = write_checkpoint(tmp_path, model="a/b", step=1, epoch=0, metrics={}, fill=hostile)
    with pytest.raises(BadFile):
        read_state(checkpoint, **parts(), average=None)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path, model="a/b", step=1, epoch=0, metrics={}, fill=fill)
    state = read_state(checkpoint, **parts(), average=None)
    assert (state.progress.step, state.scaler, state.callbacks) == (3, {}, {})
