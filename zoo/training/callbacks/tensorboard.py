"""tensorboard/: the numbers of metrics.csv as event files."""

from __future__ import annotations

from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from zoo.runs.atomic import disk_errors
from zoo.training.callbacks.metrics_csv import row
from zoo.training.events import Callback, EpochResult, Start


class TensorBoard(Callback):
    """Writes scalars by step; after a resume the repeated steps replace the old ones."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: SummaryWriter | None = None

    def on_start(self, start: Start) -> None:
        """Open the event file."""
        with disk_errors(self._folder):
            self._writer = SummaryWriter(str(self._folder), purge_step=start.step or None)

    def on_epoch_end(self, result: EpochResult) -> None:
        """Write every number of the epoch."""
        if self._writer:
            with disk_errors(self._folder):
                for name, value in row(result).items():
                    self._writer.add_scalar(name, value, result.step)
                self._writer.flush()

    def on_close(self) -> None:
        """Close the event file."""
        if self._writer:
            with disk_errors(self._folder):
                self._writer.close()
