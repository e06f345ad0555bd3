"""The events of a training, the callbacks that receive them, and what a plugin declares about a callback."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from zoo.api.data import Split
from zoo.api.problem import Json
from zoo.api.specs import TASK_NAME, Monitor, Reference, TaskTags, check_pattern, check_reference
from zoo.api.task import Metrics

ALL_EPOCHS: Final = "all epochs"
ALL_STEPS: Final = "all steps"
TIME_IS_UP: Final = "time is up"
"""Reasons for which a training ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackSpec:
    """Something that listens to trainings: a tracker, a chart, a message when it is done.

    Examples:
        >>> zoo.CallbackSpec(name="bell", callback="my_package:Bell", summary="rings when it is done").extra is None
        True
    """

    name: str
    """What --callback calls it; unique in its plugin."""
    callback: Reference
    """(run: `zoo.CallbackRun`) -> `zoo.Callback`; called once for each training that asks for it."""
    extra: str | None = None
    """The optional-dependency group of the plugin's own distribution that it needs."""
    summary: str = ""
    """What it does, in half a line."""
    conformance: Mapping[str, str] = field(default_factory=dict)
    """Checks of the conformance kit that do not apply, each with the reason, which is shown."""

    def __post_init__(self) -> None:
        check_pattern(TASK_NAME, self.name, what="a callback's name", form="'metrics-csv'")
        check_reference(self.callback, what=f"the callback {self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRun:
    """The training that a callback is made for.

    Examples:
        >>> facts = {"model": "cnn/cnn", "task": "zoo/image-classification", "data": "digits"}
        >>> run = zoo.CallbackRun(path=Path("runs/a"), created="2026-11-30T12:00:00Z", **facts)
        >>> run.path.name
        'a'
    """

    path: Path
    """The run directory, which exists."""
    created: str
    """UTC, ISO 8601 with microseconds; the same after a resume."""
    model: str
    """Full name."""
    task: str
    """Full name of the model's task."""
    data: str
    """An embedded name, a path, or "scheme:rest"."""
    config: Mapping[str, Json] = field(default_factory=dict)
    """All that config.json holds."""
    tags: TaskTags = field(default_factory=TaskTags)
    """Of the task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartEvent:
    """A training that begins or is resumed.

    Examples:
        >>> class Watch(zoo.Callback):
        ...     def on_start(self, event):
        ...         print(event.epochs, "epochs of", event.batches, "batches")
    """

    monitor: Monitor
    """The metric that chooses the best checkpoint."""
    epochs: int
    """In the whole training."""
    batches: int
    """In an epoch."""
    steps: int
    """In the whole training."""
    items: int
    """Training items in an epoch."""
    epoch: int
    """Epochs done before; above 0 for a resumed run."""
    step: int
    """Steps done before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEvent:
    """The state of the training between steps, sent at most ten times a second.

    Examples:
        >>> class Watch(zoo.Callback):
        ...     def on_step(self, event):
        ...         print(event.step, event.loss)
    """

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
class EvaluationEvent:
    """A split that was measured: validation after every epoch, test once, with the best weights, at the end.

    Examples:
        >>> class Test(zoo.Callback):
        ...     def on_evaluation(self, event):
        ...         if event.split == "test":
        ...             print(event.metrics)
    """

    split: Split
    """validation or test."""
    epoch: int
    """Epochs done."""
    step: int
    """Steps of the whole training done."""
    metrics: Mapping[str, float]
    """By name."""
    loss: float | None
    """The mean loss on the split; None where the trainer does not say it."""
    measured: Metrics
    """The metrics object after the evaluation; it can draw pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochResult:
    """The result of one epoch.

    Examples:
        >>> class Diary(zoo.Callback):
        ...     def on_epoch_end(self, result):
        ...         print(result.epoch, result.losses["loss"], result.metrics["top1"])
    """

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
    """A checkpoint that must be written now.

    Examples:
        >>> class Watch(zoo.Callback):
        ...     def on_checkpoint(self, event):
        ...         print(event.step, event.best)
        >>> Watch().on_checkpoint(zoo.CheckpointEvent(step=8, epoch=1, metrics={}, best=True, fill=print))
        8 True
    """

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
class SavedEvent:
    """A checkpoint that lies on the disk, complete.

    Examples:
        >>> zoo.SavedEvent(path=Path("runs/a/checkpoints/step-8"), step=8, epoch=1, metrics={}, best=True).path.name
        'step-8'
    """

    path: Path
    """Its folder, with model.safetensors in it; the next checkpoints may remove it."""
    step: int
    """Steps of the whole training done."""
    epoch: int
    """Epochs done."""
    metrics: Mapping[str, float]
    """Of these weights; empty when they were not evaluated."""
    best: bool
    """Better than every epoch before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a training ended.

    Examples:
        >>> class Bell(zoo.Callback):
        ...     def on_end(self, outcome):
        ...         print(outcome.status, outcome.best_epoch, outcome.test)
    """

    status: Literal["finished", "interrupted"]
    """interrupted by a signal; it can be resumed."""
    reason: str
    """As in "all epochs", "no better for 5 epochs", "time is up", "SIGINT"."""
    signal: int | None
    """The signal that interrupted it."""
    epochs: int
    """Epochs done."""
    steps: int
    """Steps done."""
    seconds: float
    """Since the training began, without the time between an interruption and the resume."""
    best_epoch: int | None
    """Counted from 1; None where none could be measured."""
    metrics: Mapping[str, float]
    """Validation metrics of the best epoch."""
    test: Mapping[str, float] = field(default_factory=dict)
    """Test metrics of the best epoch; empty without a test split, and where the training was interrupted."""
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """The 95 % interval of metrics that have one: "validation/top1", "test/top1"."""
    calibration: Mapping[str, float] = field(default_factory=dict)
    """The expected calibration error of a classifier by split."""
    best_measured: Metrics | None = None
    """The metrics object after the evaluation of the best epoch, where the training finished; it can draw pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureEvent:
    """A training that ends with an error.

    Examples:
        >>> zoo.FailureEvent(message="the loss is not a number", epoch=3, step=120).step
        120
    """

    message: str
    """What went wrong, in one sentence."""
    epoch: int
    """Epochs done."""
    step: int
    """Steps done."""


class Callback:
    """Receives the events of a training; a subclass overrides the methods that it needs.

    Only the process with rank 0 has callbacks.  An error in a method ends the training after a checkpoint was saved;
    the message names the callback, the method, epoch and step.

    Examples:
        >>> class Bell(zoo.Callback):
        ...     def on_end(self, outcome):
        ...         print("done:", outcome.status)
        >>> callable(Bell().on_start)
        True
    """

    @property
    def name(self) -> str:
        """Under which checkpoints hold its state; two callbacks of a training have different names."""
        return type(self).__qualname__

    def state_dict(self) -> Mapping[str, Any]:
        """What it must know again after a resume: tensors, numbers, texts, and lists and dicts of them."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned; called before `on_start`."""

    def on_start(self, start: StartEvent) -> None:
        """Before the first step, and again after a resume."""

    def on_step(self, event: StepEvent) -> None:
        """At most ten times a second."""

    def on_evaluation(self, event: EvaluationEvent) -> None:
        """After validation in every epoch, and after the one test at the end."""

    def on_epoch_end(self, result: EpochResult) -> None:
        """After an evaluation, before its checkpoint."""

    def on_checkpoint(self, event: CheckpointEvent) -> Path | None:
        """When a checkpoint must be written; the folder, if this callback wrote it."""

    def on_saved(self, event: SavedEvent) -> None:
        """After a checkpoint was written."""

    def on_end(self, outcome: Outcome) -> None:
        """After the last step and the test, also of an interrupted training."""

    def on_failure(self, event: FailureEvent) -> None:
        """Instead of `on_end` where the training ends with an error."""

    def on_close(self) -> None:
        """Always, also after an error."""
