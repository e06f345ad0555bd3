"""What the outcome of a training says beside its epochs: the best epoch measured, and the test split."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from zoo.api.callback import Outcome
from zoo.api.task import Metrics
from zoo.runs.evaluation_result import recorded
from zoo.training.loop.components import Training
from zoo.training.loop.notify import Notifier
from zoo.training.loop.progress_events import evaluation_event
from zoo.training.loop.split_metrics import SplitResult, calibration_errors, intervals

Measure = Callable[[Metrics], SplitResult | None]
"""Measures a split with the metrics object that it is given; None where a signal stopped it."""


class Ending:
    """The measures of the best weights, which the outcome and its pictures are made of."""

    def __init__(
        self,
        training: Training,
        notifier: Notifier,
        *,
        validate: Measure,
        load_best: Callable[[], None] | None,
        test: Measure | None,
    ) -> None:
        self._training = training
        self._notifier = notifier
        self._validate = validate
        self._load_best = load_best
        self._test = test
        self.best_measured: Metrics | None = None
        """Of the best epoch that this process has measured."""
        self._tested: Metrics | None = None
        self._test_metrics: Mapping[str, float] = {}

    def is_measured(self) -> bool:
        """Measure what is still missing; False where a signal stopped it."""
        return self._has_best_measured() and self._is_tested()

    def _has_best_measured(self) -> bool:
        """Measure the best epoch again where it lies before a resume, for its pictures."""
        if self.best_measured is not None or self._training.progress.best_epoch is None or self._load_best is None:
            return True
        self._load_best()
        measured = self._metrics()
        if self._validate(measured) is None:
            return False
        self.best_measured = measured
        return True

    def _is_tested(self) -> bool:
        """Measure the test split with the best weights, once."""
        if self._test is None:
            return True
        measured = self._metrics()
        split = self._test(measured)
        if split is None:
            return False
        self._tested, self._test_metrics = measured, recorded(split.metrics)
        self._notifier.evaluation(evaluation_event(self._training, "test", split, measured))
        return True

    def _metrics(self) -> Metrics:
        return self._training.task.tensors.metrics(self._training.context.problem)

    def outcome(self, status: Literal["finished", "interrupted"], reason: str, *, signal: int | None) -> Outcome:
        """How the training ended; only a finished one has measures of its best weights."""
        progress = self._training.progress
        splits = {"validation": self.best_measured, "test": self._tested} if status == "finished" else {}
        measured = {split: metrics for split, metrics in splits.items() if metrics is not None}
        return Outcome(
            status=status,
            reason=reason,
            signal=signal if status == "interrupted" else None,
            epochs=progress.epoch,
            steps=progress.step,
            seconds=progress.seconds,
            best_epoch=progress.best_epoch,
            metrics=recorded(progress.best),
            test=self._test_metrics,
            intervals=intervals(measured),
            calibration=calibration_errors(measured),
            best_measured=self.best_measured if status == "finished" else None,
        )
