"""A learning-rate range test (Smith, 2017): the rate rises with every step, and the loss tells which suits.  [torch]

torch-lr-finder does the same for loops of one model, one optimiser and one loss function; here the trainer's own step
is taken, with its optimisers, augmentation and precision, so that the rate found is the one that the training needs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from zoo.training.loop.augmenting import augmented
from zoo.training.loop.batches import channels_last, on_device, read_batches
from zoo.training.loop.components import Training

STEPS: Final = 100
LOWEST: Final = 1e-6
HIGHEST: Final = 10.0
SMOOTHING: Final = 0.9
"""Share of the former mean in the running mean of the losses."""
DIVERGED: Final = 4.0
"""The test ends when the smoothed loss is so many times the least one."""
LEAST_STEPS: Final = 10
"""In fewer steps no rate can be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeTest:
    """The smoothed loss at every rate that was tried."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def suggested(self) -> float | None:
        """The rate at which the loss falls fastest, before its least value; None where it does not fall."""
        least = min(range(len(self.losses)), key=self.losses.__getitem__)
        if len(self.losses) < LEAST_STEPS or least < 2:
            return None
        slopes = [self.losses[index + 1] - self.losses[index - 1] for index in range(1, least)]
        steepest = min(range(len(slopes)), key=slopes.__getitem__)
        return float(f"{self.rates[steepest + 1]:.2g}") if slopes[steepest] < 0 else None


def range_rates(steps: int) -> list[float]:
    """Rates from the lowest to the highest, each by the same factor above the one before."""
    return [LOWEST * (HIGHEST / LOWEST) ** (step / (steps - 1)) for step in range(steps)]


def range_test(training: Training, *, steps: int = STEPS) -> RangeTest:
    """The test on this training, whose parameters are of no use afterwards; nothing is written."""
    accumulate = training.config.recipe.accumulate
    rates = range_rates(steps)
    training.context.set_optimizers(training.optimizers, rates)
    training.learn_mode()
    mean = 0.0
    tried: list[float] = []
    losses: list[float] = []
    sums: list[float] = []
    for step, loss in enumerate(_losses(training, steps * accumulate)):
        sums.append(loss)
        if len(sums) < accumulate:
            continue
        index = step // accumulate
        mean = SMOOTHING * mean + (1 - SMOOTHING) * sum(sums) / accumulate
        sums = []
        smoothed = mean / (1 - SMOOTHING ** (index + 1))
        if not math.isfinite(smoothed) or (losses and smoothed > DIVERGED * min(losses) and min(losses) > 0):
            break
        tried.append(rates[index])
        losses.append(smoothed)
    return RangeTest(rates=tuple(tried), losses=tuple(losses))


def _losses(training: Training, steps: int) -> Iterator[float]:
    """The loss of each training step, over as many epochs as that takes."""
    context, plan, recipe = training.context, training.plan, training.config.recipe
    for step in range(steps):
        epoch, first = divmod(step, plan.batches)
        if first == 0:
            batches = read_batches(training.train, plan.epoch(epoch)[: steps - step], workers=training.workers)
        context.begin(step, epoch)
        batch = augmented(on_device(next(batches), training.engine.device), training.task, recipe, context.generator)
        batch = training.train.ready(batch)
        with training.engine.autocast():
            output = training.trainer.step(context, channels_last(batch) if recipe.channels_last else batch)
        yield float(output.loss)
