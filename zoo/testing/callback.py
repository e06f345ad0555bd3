"""Checks of every callback, on the events of a training that was made up.  [torch]"""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import torch

from zoo.api.callback import (
    Callback,
    CallbackRun,
    CallbackSpec,
    CheckpointEvent,
    EpochResult,
    EvaluationEvent,
    FailureEvent,
    Outcome,
    SavedEvent,
    StartEvent,
    StepEvent,
)
from zoo.api.data import counted
from zoo.api.specs import Monitor
from zoo.api.task import Batch
from zoo.registry.name_resolution import RegistryEntry
from zoo.testing.check_context import CheckContext
from zoo.testing.score import Failing

Entry = RegistryEntry[CallbackSpec]
METRICS = {"top1": 0.5}


def events(context: CheckContext, entry: Entry) -> str:
    """It takes every event of a training without an error, those of a resume and of a failure too."""
    run = _run(context)
    with redirect_stdout(io.StringIO()):
        _take_everything(context, entry, run)
    return "every event"


def _take_everything(context: CheckContext, entry: Entry, run: CallbackRun) -> None:
    callback = context.catalog.make_callback(entry, run)
    _begin(callback, run.path)
    again = context.catalog.make_callback(entry, run)
    if state := dict(callback.state_dict()):
        again.load_state_dict(state)
    _go_on(again)
    failing = context.catalog.make_callback(entry, _run(context))
    failing.on_start(_start(0))
    failing.on_failure(FailureEvent(message="the loss is not finite", epoch=0, step=3))
    failing.on_close()


def state_round_trip(context: CheckContext, entry: Entry) -> str:
    """What it remembers can be put into a checkpoint, and is the same when another one is given it."""
    run = _run(context)
    with redirect_stdout(io.StringIO()):
        callback = context.catalog.make_callback(entry, run)
        _begin(callback, run.path)
    state = dict(callback.state_dict())
    if not state:
        return "no state"
    memory = io.BytesIO()
    torch.save(state, memory)
    memory.seek(0)
    try:
        loaded: Mapping[str, Any] = torch.load(memory, weights_only=True)
    except Exception as error:
        raise Failing(
            f"its state cannot be read from a checkpoint: {error}".splitlines()[0],
            next_step="keep to tensors, numbers, texts, and lists and dicts of them",
        ) from error
    again = context.catalog.make_callback(entry, run)
    again.load_state_dict(loaded)
    if repr(dict(again.state_dict())) != repr(state):
        raise Failing("its state is another one after load_state_dict", next_step="take back all that state_dict gives")
    return counted(len(state), "value")


class _Measured:
    """Metrics that were computed already."""

    def update(self, outputs: Batch, batch: Batch) -> None:
        """Nothing is counted."""

    def compute(self) -> dict[str, float]:
        """The metrics of every event."""
        return dict(METRICS)

    def pictures(self, folder: Path) -> list[Path]:  # noqa: ARG002
        """None."""
        return []


def _run(context: CheckContext) -> CallbackRun:
    path = context.folder("run")
    path.mkdir()
    return CallbackRun(
        path=path,
        created="2026-01-01T00:00:00.000000Z",
        model="cnn/cnn",
        task="image-classification",
        data="digits",
        config={"seed": 0, "recipe": {"lr": 0.1}},
    )


def _begin(callback: Callback, path: Path) -> None:
    """The first epoch, with its checkpoint."""
    callback.on_start(_start(0))
    callback.on_step(
        StepEvent(epoch=1, batch=1, step=1, loss=2.0, rate=0.1, speed=100.0, remaining=60.0, step_seconds=0.1)
    )
    _epoch(callback, 1)
    callback.on_checkpoint(CheckpointEvent(step=4, epoch=1, metrics=METRICS, best=True, fill=_fill))
    callback.on_saved(SavedEvent(path=path / "checkpoints" / "step-4", step=4, epoch=1, metrics=METRICS, best=True))


def _go_on(callback: Callback) -> None:
    """The second epoch after a resume, the test and the end."""
    callback.on_start(_start(1))
    _epoch(callback, 2)
    callback.on_evaluation(
        EvaluationEvent(split="test", epoch=2, step=8, metrics=METRICS, loss=1.0, measured=_Measured())
    )
    outcome = {"epochs": 2, "steps": 8, "seconds": 2.0, "best_epoch": 2, "metrics": METRICS, "test": METRICS}
    callback.on_end(Outcome(status="finished", reason="all epochs", signal=None, **outcome))  # type: ignore[arg-type]
    callback.on_close()


def _start(epoch: int) -> StartEvent:
    monitor = Monitor(metric="top1", mode="max")
    return StartEvent(monitor=monitor, epochs=2, batches=4, steps=8, items=64, epoch=epoch, step=4 * epoch)


def _epoch(callback: Callback, epoch: int) -> None:
    callback.on_evaluation(
        EvaluationEvent(
            split="validation", epoch=epoch, step=4 * epoch, metrics=METRICS, loss=None, measured=_Measured()
        )
    )
    callback.on_epoch_end(
        EpochResult(
            epoch=epoch,
            step=4 * epoch,
            seconds=float(epoch),
            rate=0.1,
            speed=100.0,
            losses={"loss": 2.0},
            metrics=METRICS,
            best=True,
            measured=_Measured(),
        )
    )


def _fill(directory: Path) -> None:
    """Writes nothing: there are no tensors."""
