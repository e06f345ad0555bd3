"""The events of a training and the callbacks that receive them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from zoo.api.task import Metrics, Monitor

ALL_EPOCHS: Final = "all epochs"
ALL_STEPS: Final = "all steps"
TIME_IS_UP: Final = "time is up"
"""Reasons for which a training ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A training that begins or is resumed."""

    monitor: Monitor
    epochs: int
    batches: int
    """In an epoch."""
    steps: int
    """In the whole training."""
    items: int
    epoch: int
    """Epochs done before; above 0 for a resumed run."""
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEvent:
    """The state of the training between steps, sent at most ten times a second."""

    epoch: int
    """Counted from 1."""
    batch: int
    """Batches of this epoch done."""
    step: int
    """Steps of the whole training done."""
    loss: float
    """Mean since the epoch began."""
    rate: float
    """Learning rate."""
    speed: float
    """Items a second."""
    remaining: float
    """Seconds to the end of the training, estimated."""
    later_cost: float = 1.0
    """What a step that is still to come costs on average, in steps like this one."""
    step_seconds: float = 0.0
    """Of one step, the mean since the epoch began; 0 where nobody has measured it."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Of the last evaluation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochResult:
    """The result of one epoch."""

    epoch: int
    """Counted from 1."""
    step: int
    """Steps of the whole training done."""
    seconds: float
    """Since the training began, without the time between an interruption and the resume."""
    rate: float
    """Learning rate."""
    speed: float
    """Items a second."""
    losses: Mapping[str, float]
    """The mean "loss" and its named parts, over the epoch's items."""
    metrics: Mapping[str, float]
    """On the validation split."""
    best: bool
    """Better than every epoch before."""
    measured: Metrics
    """The metrics object after the evaluation; it can draw pictures."""
    validation_loss: float | None = None
    """The mean loss on the validation split; None where the trainer does not say it."""
    answers: float | None = None
    """The share of validation items, or of their pixels, that got the most common answer; None where answers are no
    classes."""
    labels: float | None = None
    """The share of those that are of the most common class."""
    classified: Literal["items", "pixels"] = "items"
    """What has a class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointEvent:
    """A checkpoint that must be written now."""

    step: int
    """Steps of the whole training done."""
    epoch: int
    """Epochs done."""
    metrics: Mapping[str, float]
    """Of these weights; empty when they were not evaluated."""
    best: bool
    """Better than every epoch before."""
    fill: Callable[[Path], None]
    """Writes the tensor files into a directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a training ended."""

    status: Literal["finished", "interrupted"]
    reason: str
    """As in "all epochs", "no better for 5 epochs", "time is up", "SIGINT"."""
    signal: int | None
    epochs: int
    steps: int
    seconds: float
    best_epoch: int | None
    metrics: Mapping[str, float]
    """Validation metrics of the best epoch."""
    best_measured: Metrics | None = None
    """The metrics object after the evaluation of the best epoch, where the training finished; it can draw pictures."""


class Callback:
    """Receives events; a subclass overrides the methods that it needs.  Only the process with rank 0 has callbacks."""

    @property
    def name(self) -> str:
        """Under which checkpoints hold its state; two callbacks of a training have different names."""
        return type(self).__qualname__

    def state_dict(self) -> Mapping[str, Any]:
        """What it must know again after a resume: tensors, numbers, texts, and lists and dicts of them."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned; called before `on_start`."""

    def on_start(self, start: Start) -> None:
        """Before the first step, and again after a resume."""

    def on_step(self, event: StepEvent) -> None:
        """At most ten times a second."""

    def on_epoch_end(self, result: EpochResult) -> None:
        """After an evaluation, before its checkpoint."""

    def on_checkpoint(self, event: CheckpointEvent) -> None:
        """When a checkpoint must be written."""

    def on_end(self, outcome: Outcome) -> None:
        """After the last step, also of an interrupted training."""

    def on_close(self) -> None:
        """Always, also after an error."""
