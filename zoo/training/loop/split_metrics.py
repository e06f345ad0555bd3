"""A task's metrics of a model over a whole split."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import torch
from torch import Tensor, nn

from zoo.api.errors import PluginError
from zoo.api.problem import ImageInput, Input
from zoo.api.recipe import Augment
from zoo.api.task import Dataset, HasCalibration, HasIntervals, Metrics
from zoo.api.trainer import Trainer
from zoo.runs.evaluation_result import recorded
from zoo.training.engine.fabric import Engine
from zoo.training.loop.batches import channels_last, on_device, read_batches
from zoo.training.loop.context import Context

if TYPE_CHECKING:
    from zoo.api.task import Batch

USUAL_BATCH_SIZE: Final = 64
"""At least so many items are measured at once, where the memory for training leaves room for them."""
MAX_BATCH_SIZE: Final = 250
ROOM: Final = 4
"""Measuring keeps no activations: so many times the items of a training batch need no more memory."""
PICTURE_BYTES: Final = 64 << 20
"""More items than a training step has are measured at once only where their pictures, as float32, take less."""
SAME: Final = 1e-6
"""Metrics of two processes may differ so much, relatively: their machines may add up in another order."""
NO_AUGMENT: Final = Augment()
"""No random changes of the training batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitResult:
    """What a whole split gave."""

    metrics: dict[str, float]
    loss: float | None = None
    """The mean over the items; None where the trainer does not say it."""
    answers: float | None = None
    """The share of items, or of their pixels, that got the most common answer; None where answers are no classes."""
    labels: float | None = None
    """The share of those that are of the most common class."""
    classified: Literal["items", "pixels"] = "items"
    """What has a class."""


def measure(
    context: Context, trainer: Trainer, dataset: Dataset, metrics: Metrics, *, workers: int = 0
) -> dict[str, float]:
    """The metrics of context.modules["model"], by name."""
    result = measure_split(context, trainer, dataset, metrics, workers=workers)
    assert result is not None, "nobody asked it to stop"
    return result.metrics


@torch.no_grad()
def measure_split(
    context: Context,
    trainer: Trainer,
    dataset: Dataset,
    metrics: Metrics,
    *,
    workers: int = 0,
    stop: Callable[[], bool] = lambda: False,
) -> SplitResult | None:
    """The metrics of context.modules["model"] and the loss; None when `stop` returned True.

    Every process evaluates its share of the items; the metrics are synchronised when they are computed.
    """
    engine, recipe = context.engine, context.recipe
    size = evaluation_batch(recipe.batch_size, context.problem.input)
    order = list(range(engine.rank, len(dataset), engine.world))
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    sums, counts = _LossSum(context, trainer), _AnswerCounts(len(context.problem.classes))
    with EvalMode(context.modules.values()), engine.autocast():
        read = read_batches(dataset, batches, workers=workers, pinned=engine.pins)
        for indices, raw in zip(batches, read, strict=True):
            if stop():
                return None
            batch = dataset.ready(on_device(raw, engine.device))
            outputs = trainer.predict(context, channels_last(batch) if recipe.channels_last else batch)
            metrics.update(outputs, batch)
            sums.add(outputs, batch, count=len(indices))
            counts.add(outputs, batch)
    answers, labels = counts.shares(engine)
    return SplitResult(
        metrics=metrics.compute(),
        loss=sums.mean(engine),
        answers=answers,
        labels=labels,
        classified=counts.classified,
    )


def same_everywhere(metrics: dict[str, float], engine: Engine, *, task: str) -> dict[str, float]:
    """The metrics of the first process, which decide on every process; PluginError where the others have other ones.

    Such a task measures a part of the split in each process, and does not bring the parts together.
    """
    for other in engine.gather(metrics):
        for name, value in metrics.items():
            there = other.get(name, math.nan)
            if not math.isclose(value, there, rel_tol=SAME) and not (math.isnan(value) and math.isnan(there)):
                raise PluginError(
                    f"the metric {name} of the task {task} is {value:.6g} in one process and {there:.6g} in another: "
                    "it is not measured over the items of all",
                    hint="train in one process, or let its `compute` add up what all processes have "
                    "(torch.distributed.all_reduce, or a metric of torchmetrics)",
                )
    return engine.tell(metrics)


def evaluation_batch(training_batch: int, item: Input) -> int:
    """How many items are measured at once where a training step takes so many."""
    usual = USUAL_BATCH_SIZE
    if isinstance(item, ImageInput):
        usual = min(usual, PICTURE_BYTES // (4 * item.channels * math.prod(item.size)))
    return min(max(training_batch, min(usual, ROOM * training_batch)), MAX_BATCH_SIZE)


class _LossSum:
    """The loss that a trainer tells of its outputs, summed over the items."""

    def __init__(self, context: Context, trainer: Trainer) -> None:
        self._context = context
        self._loss_of: Callable[..., Tensor | None] = getattr(trainer, "validation_loss", _no_loss)
        self._total = 0.0
        self._items = 0

    def add(self, outputs: Batch, batch: Batch, *, count: int) -> None:
        loss = self._loss_of(self._context, outputs, batch)
        if loss is not None:
            self._total += float(loss) * count
            self._items += count

    def mean(self, engine: Engine) -> float | None:
        total, items = engine.sum([self._total, float(self._items)])
        return total / items if items else None


def _no_loss(context: Context, outputs: Batch, batch: Batch) -> None:
    """Of a trainer that tells no loss."""


class _AnswerCounts:
    """How often each class was answered and was right, where an item or a pixel has one of the problem's classes."""

    def __init__(self, classes: int) -> None:
        self.classified: Literal["items", "pixels"] = "items"
        self._answers = torch.zeros(classes, dtype=torch.float64)
        self._labels = torch.zeros(classes, dtype=torch.float64)

    def add(self, outputs: Batch, batch: Batch) -> None:
        """Logits [n, classes, …] and the labels [n] of items, or [n, h, w] of their pixels."""
        classes, logits = len(self._answers), outputs.get("logits")
        label = batch.get("label", batch.get("mask"))
        if not isinstance(logits, Tensor) or not isinstance(label, Tensor) or classes < 2 or label.ndim not in (1, 3):
            return
        if logits.shape != (len(label), classes, *label.shape[1:]):
            return
        self.classified = "items" if label.ndim == 1 else "pixels"
        labelled = label < classes  # the others are left open
        self._answers += torch.bincount(logits.argmax(1)[labelled].cpu(), minlength=classes)
        self._labels += torch.bincount(label[labelled].cpu(), minlength=classes)

    def shares(self, engine: Engine) -> tuple[float | None, float | None]:
        answers, labels = engine.sum(self._answers.tolist()), engine.sum(self._labels.tolist())
        total = sum(labels)
        return (max(answers) / total, max(labels) / total) if total else (None, None)


class EvalMode:
    """A context in which all modules are in eval mode; afterwards each has its former mode."""

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        parts = [part for module in modules for part in module.modules()]
        self._modes: list[tuple[nn.Module, bool]] = [(part, part.training) for part in parts]

    def __enter__(self) -> None:
        for part, _ in self._modes:
            part.training = False

    def __exit__(self, *_: object) -> None:
        for part, mode in self._modes:
            part.training = mode


def intervals(measured: Mapping[str, Metrics]) -> dict[str, tuple[float, float]]:
    """The 95 % intervals of the metrics of every split: "test/top1"; of metrics that have none nothing."""
    return {
        f"{split}/{name}": interval
        for split, metrics in measured.items()
        if isinstance(metrics, HasIntervals)
        for name, interval in metrics.intervals().items()
    }


def calibration_errors(measured: Mapping[str, Metrics]) -> dict[str, float]:
    """The expected calibration error by split; of metrics that have none nothing."""
    errors = {
        split: metrics.calibration_error() for split, metrics in measured.items() if isinstance(metrics, HasCalibration)
    }
    return recorded(errors)
