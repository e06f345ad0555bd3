"""How far a training is, as plain numbers that checkpoints hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from zoo.api.errors import Diverged
from zoo.api.task import Monitor
from zoo.api.trainer import StepOutput
from zoo.training.loop.ranking import EpochScore

MAX_NON_FINITE_LOSSES = 3
"""Losses in a row that are not finite before the training stops."""


@dataclass(slots=True, kw_only=True)
class Progress:
    """Counters of one training: everything that a resume needs besides tensors."""

    step: int = 0
    epoch: int = 0
    """Epochs completed."""
    seconds: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    """Of this epoch so far: losses times items."""
    items: int = 0
    not_finite: int = 0
    """Losses in a row that were not finite."""
    best_epoch: int | None = None
    best: dict[str, float] = field(default_factory=dict)
    best_loss: float | None = None
    """The validation loss of the best epoch; None where it is not known, as in checkpoints of an older zoo."""
    stale: int = 0
    """Epochs since the best one."""

    def add(self, outputs: Sequence[StepOutput]) -> None:
        """Add the losses of some steps, read from the device at once; Diverged after three in a row are not finite."""
        names = list(outputs[0].parts)
        rows = [torch.stack([output.loss for output in outputs]).tolist()]
        rows += [torch.stack([output.parts[name] for output in outputs]).tolist() for name in names]
        for name, row in zip(["loss", *names], rows, strict=True):
            total = sum(value * output.count for value, output in zip(row, outputs, strict=True))
            self.sums[name] = self.sums.get(name, 0.0) + total
        self.items += sum(output.count for output in outputs)
        for loss in rows[0]:
            self.not_finite = 0 if math.isfinite(loss) else self.not_finite + 1
            if self.not_finite >= MAX_NON_FINITE_LOSSES:
                raise Diverged(f"the loss was not a finite number for {MAX_NON_FINITE_LOSSES} steps in a row")

    def check_end(self) -> None:
        """Diverged when the last loss of the training is not finite."""
        if self.not_finite:
            raise Diverged("the last loss was not a finite number")

    def loss(self) -> float:
        """Mean loss of this epoch so far."""
        return self.sums.get("loss", 0.0) / max(self.items, 1)

    def end_epoch(self, metrics: Mapping[str, float], monitor: Monitor, *, loss: float | None = None) -> bool:
        """Begin the next epoch; True when the one that ended is the best so far.

        `loss` is the validation loss, which decides between epochs of equal score; None where the trainer tells none.
        """
        self.epoch += 1
        self.sums, self.items = {}, 0
        finite = not self.not_finite  # such weights get no checkpoint, so they cannot be the best
        value, best = metrics.get(monitor.metric, math.nan), self._best_score(monitor)
        if math.isnan(value) and finite:
            return False  # nothing was measured, so the epoch is neither better nor worse
        better = best is None or EpochScore(value=value, loss=loss).is_better(best, monitor)
        perfect = math.inf if monitor.mode == "max" else -math.inf  # the PSNR of a perfect reconstruction is infinite
        if better and (math.isfinite(value) or value == perfect) and finite:
            self.best_epoch, self.best, self.best_loss, self.stale = self.epoch, dict(metrics), loss, 0
            return True
        self.stale += 1
        return False

    def _best_score(self, monitor: Monitor) -> EpochScore | None:
        value = self.best.get(monitor.metric)
        return None if value is None else EpochScore(value=value, loss=self.best_loss)

    def state(self) -> dict[str, Any]:
        """All counters by name, for a checkpoint."""
        return {name: getattr(self, name) for name in self.__slots__}
