"""pictures/: the curves, what the task draws of its best evaluation, and epochs/ for what is worth watching."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from zoo.api.parts import declares
from zoo.api.task import Metrics
from zoo.training.callbacks.metrics_csv import read_rows
from zoo.training.curves import draw_curves
from zoo.training.events import Callback, EpochResult, Outcome


class Pictures(Callback):
    """Draws when the training has finished; an interrupted one ends at once."""

    def __init__(self, run: Path, *, epoch_figure: bool | None = False) -> None:
        self._run = run
        self._epoch_figure = epoch_figure
        self._best: Metrics | None = None

    def on_epoch_end(self, result: EpochResult) -> None:
        """Remember the best evaluation, and draw what develops."""
        if declares(self._epoch_figure, result.measured, "epoch_picture"):
            folder = self._run / "pictures" / "epochs"
            folder.mkdir(parents=True, exist_ok=True)
            cast("Any", result.measured).epoch_picture(folder / f"{result.epoch:04d}.png")
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
