"""pictures/: the curves, what the task draws of its best evaluation, and epochs/ for what is worth watching."""

from __future__ import annotations

from pathlib import Path

from zoo.api.task import Metrics
from zoo.api.task_options import Developing
from zoo.training.callbacks.metrics_csv import read_rows
from zoo.training.curves import draw_curves
from zoo.training.events import Callback, EpochResult, Outcome


class Pictures(Callback):
    """Draws when the training has finished; an interrupted one ends at once."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._best: Metrics | None = None

    def on_epoch_end(self, result: EpochResult) -> None:
        """Remember the best evaluation, and draw what develops."""
        if isinstance(result.measured, Developing):
            folder = self._run / "pictures" / "epochs"
            folder.mkdir(parents=True, exist_ok=True)
            result.measured.epoch_picture(folder / f"{result.epoch:04d}.png")
        if result.best:
            self._best = result.measured

    def on_end(self, outcome: Outcome) -> None:
        """Draw."""
        if outcome.status != "finished":
            return
        folder = self._run / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        if rows := read_rows(self._run / "metrics.csv"):
            draw_curves(rows, folder / "curves.png")
        if self._best:
            self._best.pictures(folder)
