"""Keeps checkpoints: the newest two and the best, with their pointers."""

from __future__ import annotations

from typing import Final

from zoo.runs.checkpoints import point, prune, write_checkpoint
from zoo.runs.run import Run
from zoo.training.events import Listener, Snapshot

KEPT: Final = 2


class Checkpoints(Listener):
    """Writes a checkpoint of every snapshot; `newest` names the last one."""

    def __init__(self, run: Run) -> None:
        self._folder = run.checkpoints
        self._model = run.config.model

    def keep(self, snapshot: Snapshot) -> None:
        """Write, then point, then remove the ones that nobody points at."""
        checkpoint = write_checkpoint(
            self._folder,
            model=self._model,
            step=snapshot.step,
            epoch=snapshot.epoch,
            metrics=snapshot.metrics,
            fill=snapshot.fill,
        )
        if snapshot.best:
            point(self._folder, "best", checkpoint)
        point(self._folder, "last", checkpoint)
        prune(self._folder, keep=KEPT)
