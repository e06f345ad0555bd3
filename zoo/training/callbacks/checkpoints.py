"""Writes checkpoints; keeps the newest two and the best, with the pointers `last` and `best`."""

from __future__ import annotations

from pathlib import Path

from zoo.api.callback import CheckpointEvent, StartEvent
from zoo.runs.checkpoints import point, prune, write_checkpoint
from zoo.runs.run import Run
from zoo.training.loop.notify import OwnCallback


class Checkpoints(OwnCallback):
    """Writes a checkpoint for every checkpoint event."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._folder = run.checkpoints
        self._model = run.config.model
        self._batches = 1

    def on_start(self, start: StartEvent) -> None:
        """Remove what a killed process had not come to removing."""
        self._batches = start.batches
        prune(self._folder, batches=self._batches)

    def on_checkpoint(self, event: CheckpointEvent) -> Path:
        """Write the checkpoint, then the pointers, then remove old checkpoints without a pointer."""
        self._run.check_there()
        checkpoint = write_checkpoint(
            self._folder,
            model=self._model,
            step=event.step,
            epoch=event.epoch,
            metrics=event.metrics,
            fill=event.fill,
        )
        if event.best:
            point(self._folder, "best", checkpoint)
        point(self._folder, "last", checkpoint)
        prune(self._folder, batches=self._batches)
        return checkpoint.path
