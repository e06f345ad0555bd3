"""metrics.csv: one row for each epoch, on the disk before the checkpoint of that epoch."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.api.callback import CallbackRun, EpochResult, StartEvent
from zoo.api.errors import BadFile, DiskError
from zoo.runs.atomic import disk_errors, write_text
from zoo.training.advice.diagnosis import COLUMNS
from zoo.training.loop.notify import OwnCallback


def row(result: EpochResult) -> dict[str, float]:
    """The numbers of one epoch by column."""
    return {
        "epoch": result.epoch,
        "step": result.step,
        "seconds": round(result.seconds, 3),
        "lr": result.rate,
        "items_per_second": round(result.speed, 1),
        **{f"train/{name}": value for name, value in result.losses.items()},
        **{f"validation/{name}": value for name, value in {**_loss(result), **result.metrics}.items()},
        **_most_common(result),
    }


def _most_common(result: EpochResult) -> dict[str, float]:
    shares = zip(COLUMNS[result.classified], (result.answers, result.labels), strict=True)
    return {name: value for name, value in shares if value is not None}


def _loss(result: EpochResult) -> dict[str, float]:
    return {} if result.validation_loss is None else {"loss": result.validation_loss}


def read_rows(file: Path) -> list[dict[str, float]]:
    """The complete rows of a metrics.csv; empty where there is no file; BadFile where it holds other than numbers."""
    if not file.is_file():
        return []
    try:
        with file.open(newline="") as lines:
            return [
                {name: float(value) for name, value in line.items()}
                for line in csv.DictReader(lines)
                if all(line.values()) and None not in line
            ]
    except (ValueError, TypeError, csv.Error) as error:
        raise BadFile(f"{file} is not the table that zoo wrote: {error}", hint="remove it or put it back") from error


class EpochTable(OwnCallback):
    """Keeps the numbers of every epoch; after a resume they are again as they were at the checkpoint."""

    def __init__(self, run: CallbackRun) -> None:
        self.file = run.path / "metrics.csv"
        self.rows: list[dict[str, float]] = []
        """Of all epochs so far."""
        self._restored = False

    def state_dict(self) -> Mapping[str, Any]:
        """All rows: a checkpoint does not depend on the file."""
        return {"rows": [dict(row) for row in self.rows]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The rows up to the checkpoint."""
        self.rows, self._restored = [dict(row) for row in state["rows"]], True

    def on_start(self, start: StartEvent) -> None:
        """Keep the rows up to the step that the training resumes from: of the checkpoint, or in an old run the file."""
        if start.step == 0:
            self.rows = []
        elif not self._restored:
            rows = read_rows(self.file)
            self.rows = [row for row in rows if row["step"] <= start.step and row["epoch"] <= start.epoch]

    def on_epoch_end(self, result: EpochResult) -> None:
        """Keep the numbers of the epoch."""
        self.rows.append(row(result))


class MetricsCsv(EpochTable):
    """Appends a row for each epoch; after a resume the file is again as it was at the checkpoint."""

    def on_start(self, start: StartEvent) -> None:
        """Write the rows up to the step that the training resumes from."""
        super().on_start(start)
        if self.rows or self.file.exists():
            write_text(self.file, _table(self.rows))

    def on_epoch_end(self, result: EpochResult) -> None:
        """Write one row and flush it to the disk; a number that comes later becomes a column of the whole table."""
        columns = _columns(self.rows)
        super().on_epoch_end(result)
        if not self.file.parent.is_dir():
            raise DiskError(
                f"{self.file} cannot be written: {self.file.parent} was moved or removed while it was being trained",
                hint="what had been saved is where it was moved to: zoo train --resume THERE",
            )
        if _columns(self.rows) != columns or not self.file.exists():
            write_text(self.file, _table(self.rows))
            return
        with disk_errors(self.file), self.file.open("r+", newline="") as file:
            file.seek(0, os.SEEK_END)
            file.write(_line(self.rows[-1], columns))
            file.flush()
            os.fsync(file.fileno())


def _columns(rows: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
    """The names in the order in which they first came."""
    return tuple({name: None for row in rows for name in row})


def _table(rows: Sequence[Mapping[str, float]]) -> str:
    columns = _columns(rows)
    return "".join((_csv(columns) if rows else "", *(_line(row, columns) for row in rows)))


def _line(values: Mapping[str, float], columns: Sequence[str]) -> str:
    known = {name: values.get(name, math.nan) for name in columns}
    return _csv([int(value) if name in ("epoch", "step") else value for name, value in known.items()])


def _csv(cells: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
