"""The events of a training, made from where it stands."""

from __future__ import annotations

from collections.abc import Mapping

from zoo.api.callback import EvaluationEvent, StartEvent, StepEvent
from zoo.api.data import Split
from zoo.api.task import Metrics
from zoo.training.loop.components import Training
from zoo.training.loop.split_metrics import SplitResult


def start_event(training: Training, *, steps: int) -> StartEvent:
    """A training of so many steps that begins or is resumed."""
    return StartEvent(
        monitor=training.monitor,
        epochs=training.config.recipe.epochs,
        batches=training.plan.batches,
        steps=steps,
        items=training.plan.items,
        epoch=training.progress.epoch,
        step=training.progress.step,
    )


def step_event(
    training: Training,
    *,
    metrics: Mapping[str, float],
    batch: int,
    steps: int,
    seconds_per_step: float,
    elapsed: float,
) -> StepEvent:
    """The state after `batch` batches of this epoch; `metrics` are those of the last evaluation."""
    progress, config = training.progress, training.config
    cost = later_cost(training)
    return StepEvent(
        epoch=progress.epoch + 1,
        batch=batch,
        step=progress.step,
        loss=progress.loss(),
        rate=current_rate(training),
        speed=config.recipe.batch_size / seconds_per_step,
        remaining=remaining((steps - progress.step) * cost * seconds_per_step, limit=config.max_time, elapsed=elapsed),
        later_cost=cost,
        step_seconds=seconds_per_step,
        metrics=metrics,
    )


def evaluation_event(training: Training, split: Split, result: SplitResult, measured: Metrics) -> EvaluationEvent:
    """A split that was measured."""
    return EvaluationEvent(
        split=split,
        epoch=training.progress.epoch,
        step=training.progress.step,
        metrics=result.metrics,
        loss=result.loss,
        measured=measured,
    )


def current_rate(training: Training) -> float:
    """The learning rate of the last step."""
    step = max(training.progress.step - 1, 0)
    return training.rates[step // training.config.recipe.accumulate]


def later_cost(training: Training) -> float:
    """What a step costs from here on, beside one of now; 1 unless the trainer says that later steps cost more."""
    asked = getattr(training.trainer, "later_cost", None)
    return float(asked(training.context)) if asked else 1.0


def remaining(steps: float, *, limit: float | None, elapsed: float) -> float:
    """Seconds to the end: those of the steps that are left, or to the limit of time where that comes first."""
    return steps if limit is None else min(steps, max(limit - elapsed, 0.0))
