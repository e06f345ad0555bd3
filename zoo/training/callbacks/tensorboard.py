"""tensorboard/: the numbers of metrics.csv as one event file, the same bytes however often a run was resumed."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from zoo.api.callback import CallbackRun, EpochResult, StartEvent
from zoo.runs.atomic import disk_errors, write_bytes
from zoo.training.callbacks.metrics_csv import EpochTable

FILE_VERSION = "brain.Event:2"
"""How every event file begins."""


class TensorBoard(EpochTable):
    """Writes scalars by step.  The file follows from the rows of metrics.csv and from when the run was created.

    Its times are those of a training without interruptions.
    """

    def __init__(self, run: CallbackRun) -> None:
        super().__init__(run)
        self._created = datetime.fromisoformat(run.created).timestamp()
        self._file = run.path / "tensorboard" / f"events.out.tfevents.{int(self._created)}.zoo"

    def on_start(self, start: StartEvent) -> None:
        """Make the file what it was at the step that the training resumes from; one of an older zoo is replaced."""
        super().on_start(start)
        whole = self._whole()
        with disk_errors(self._file):
            if start.step:
                self._remove_former_files()
            if not self._truncate(whole):
                write_bytes(self._file, whole)

    def on_epoch_end(self, result: EpochResult) -> None:
        """Write every number of the epoch."""
        super().on_epoch_end(result)
        if not self._file.exists():
            write_bytes(self._file, self._whole())
            return
        with disk_errors(self._file), self._file.open("r+b") as file:
            file.seek(0, io.SEEK_END)
            file.write(self._records(self.rows[-1]))

    def _truncate(self, whole: bytes) -> bool:
        """Whether the file began with these bytes and holds nothing else now; who has it open need not open another."""
        if not self._file.is_file():
            return False
        with self._file.open("r+b") as file:
            if file.read(len(whole)) != whole:
                return False
            file.truncate(len(whole))
        return True

    def _remove_former_files(self) -> None:
        """Of zoo 0.2 and before, whose names end with host, process and a number; they hold the same numbers."""
        if self._file.exists():
            return
        for former in self._file.parent.glob("events.out.tfevents.*.[0-9]*.[0-9]*"):
            former.unlink()

    def _whole(self) -> bytes:
        header = _record(Event(wall_time=self._created, file_version=FILE_VERSION))
        return header + b"".join(self._records(row) for row in self.rows)

    def _records(self, row: Mapping[str, float]) -> bytes:
        """An event for each number of an epoch."""
        time, step = self._created + row["seconds"], int(row["step"])
        summaries = [Summary(value=[Summary.Value(tag=tag, simple_value=number)]) for tag, number in row.items()]
        return b"".join(_record(Event(wall_time=time, step=step, summary=summary)) for summary in summaries)


def _record(event: Event) -> bytes:
    """An event as it stands in the file: its length, its bytes, and a checksum of each."""
    memory = io.BytesIO()
    RecordWriter(memory).write(event.SerializeToString())
    return memory.getvalue()
