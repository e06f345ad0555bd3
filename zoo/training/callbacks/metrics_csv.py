"""metrics.csv: one row for each epoch, on the disk before the checkpoint of that epoch."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Mapping
from pathlib import Path

from zoo.runs.atomic import disk_errors, write_text
from zoo.training.diagnosis import COLUMNS
from zoo.training.events import Callback, EpochResult, Start


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
    """The complete rows of a metrics.csv; empty where there is no file."""
    if not file.is_file():
        return []
    with file.open(newline="") as lines:
        return [
            {name: float(value) for name, value in line.items()}
            for line in csv.DictReader(lines)
            if all(line.values()) and None not in line
        ]


class MetricsCsv(Callback):
    """Appends a row for each epoch; a resume removes the rows of steps that it repeats."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def on_start(self, start: Start) -> None:
        """Keep the rows up to the step that the training resumes from."""
        kept = [row for row in read_rows(self._file) if row["step"] <= start.step and row["epoch"] <= start.epoch]
        if kept or self._file.exists():
            write_text(self._file, "".join(_line(row, header=index == 0) for index, row in enumerate(kept)))

    def on_epoch_end(self, result: EpochResult) -> None:
        """Write one row and flush it to the disk; the columns are those of the first row."""
        values = row(result)
        if columns := _columns(self._file):
            values = {name: values.get(name, math.nan) for name in columns}
        with disk_errors(self._file), self._file.open("a", newline="") as file:
            file.write(_line(values, header=file.tell() == 0))
            file.flush()
            os.fsync(file.fileno())


def _columns(file: Path) -> list[str]:
    """The names in the first line; empty where there is no file."""
    if not file.is_file():
        return []
    with file.open(newline="") as lines:
        return next(csv.reader(lines), [])


def _line(values: Mapping[str, float], *, header: bool) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(values)
    writer.writerow([int(value) if name in ("epoch", "step") else value for name, value in values.items()])
    return text.getvalue()
