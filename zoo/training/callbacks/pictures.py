"""pictures/: the curves, what the task draws of its best evaluation, and epochs/ for what is worth watching."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from zoo.api.callback import CallbackRun, EpochResult, Outcome, StartEvent
from zoo.api.parts import declares
from zoo.runs.atomic import disk_errors
from zoo.training.callbacks.curves import draw_curves
from zoo.training.callbacks.metrics_csv import read_rows
from zoo.training.loop.notify import OwnCallback


class Pictures(OwnCallback):
    """Draws when the training has finished; an interrupted one ends at once."""

    def __init__(self, run: CallbackRun) -> None:
        self._run = run.path
        self._epoch_figure = run.tags.epoch_figure

    def on_start(self, start: StartEvent) -> None:
        """Remove the pictures of epochs that are still to come, which a killed process had drawn."""
        for picture in (self._run / "pictures" / "epochs").glob("[0-9]*.png"):
            if picture.stem.isdecimal() and int(picture.stem) > start.epoch:
                picture.unlink()

    def on_epoch_end(self, result: EpochResult) -> None:
        """Draw what develops."""
        if declares(self._epoch_figure, result.measured, "epoch_picture"):
            cast("Any", result.measured).epoch_picture(self._folder("epochs") / f"{result.epoch:04d}.png")

    def on_end(self, outcome: Outcome) -> None:
        """Draw the curves, and what the task draws of its best evaluation."""
        if outcome.status != "finished":
            return
        folder = self._folder()
        if rows := read_rows(self._run / "metrics.csv"):
            draw_curves(rows, folder / "curves.png")
        if outcome.best_measured:
            outcome.best_measured.pictures(folder)

    def _folder(self, *names: str) -> Path:
        folder = self._run.joinpath("pictures", *names)
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder
