"""When a training saves, and what a checkpoint holds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from zoo.api.callback import CheckpointEvent
from zoo.runs.evaluation_result import recorded
from zoo.runs.option_words import read_interval
from zoo.training.loop.components import Training
from zoo.training.loop.notify import Notifier
from zoo.training.loop.state import ProcessState, write_state


class CheckpointSaver:
    """Saves a training: within epochs as often as --save-every says, and whenever it is asked to."""

    def __init__(self, training: Training, notifier: Notifier, *, steps: int) -> None:
        self._training = training
        self._notifier = notifier
        self._steps = steps
        self._interval = read_interval(training.config.save_every)
        self._saved = time.perf_counter()
        self._saved_step = training.progress.step

    @property
    def by_steps(self) -> bool:
        """Whether all processes know by themselves when a checkpoint is due."""
        return self._interval.steps is not None

    @property
    def is_behind(self) -> bool:
        """Whether steps were done since the last checkpoint."""
        return self._training.progress.step > self._saved_step

    @property
    def is_within_epoch(self) -> bool:
        """False after the last step of an epoch or of the training, which is saved in any case."""
        step = self._training.progress.step
        return step % self._training.plan.batches != 0 and step < self._steps

    @property
    def is_due(self) -> bool:
        """Whether a checkpoint within the epoch is due."""
        if not self.is_within_epoch:
            return False
        if self._interval.steps:
            step = self._training.progress.step
            return step // self._interval.steps > self._saved_step // self._interval.steps
        return time.perf_counter() - self._saved >= (self._interval.seconds or 0)

    def save(self, metrics: Mapping[str, float], *, best: bool, seconds: float) -> None:
        """Hand a checkpoint to the callbacks, `seconds` after the training began; none where a loss was not finite."""
        training, progress = self._training, self._training.progress
        own = ProcessState(trainer=training.trainer.state_dict(), sums=progress.sums, items=progress.items)
        if max(training.engine.gather(progress.not_finite)):
            return
        processes = training.engine.gather(own)
        progress.seconds = seconds

        def fill(directory: Path) -> None:
            write_state(
                directory,
                model=training.saved_model,
                modules=training.modules,
                optimizers=training.optimizers,
                average=training.average,
                trainer=training.trainer,
                progress=progress,
                scaler=training.engine.scaler_state(),
                callbacks=self._notifier.states(),
                processes=processes,
            )

        event = CheckpointEvent(
            step=progress.step, epoch=progress.epoch, metrics=recorded(metrics), best=best, fill=fill
        )
        self._notifier.checkpoint(event)
        self._saved = time.perf_counter()
        self._saved_step = progress.step
