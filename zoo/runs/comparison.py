"""Two or more runs side by side: what they were asked for, what they reached, where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zoo.api.problem import Json
from zoo.runs.config_changes import deciding
from zoo.runs.run import Run

PLAIN: Final = ("status", "model", "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRow:
    """One property of every run; None where a run has none."""

    name: str
    values: tuple[Json, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs differ in it."""
        return any(value != self.values[0] for value in self.values)


def compare_runs(runs: Sequence[Run]) -> tuple[ComparedRow, ...]:
    """What they are, every option in which they differ, and every number that they reached."""
    known: list[dict[str, Json]] = [
        {
            "status": run.status,
            "model": run.config.model,
            "data": run.config.data,
            "data fingerprint": run.data.fingerprint[:12],
            "zoo": run.record.versions.get("edgezoo"),
            "device": run.config.device,
            **deciding(run.config),
            "epochs done": run.record.epochs,
            "best epoch": run.record.best_epoch,
            "steps done": run.record.steps,
            "seconds": run.record.seconds,
        }
        for run in runs
    ]
    reached: list[dict[str, Json]] = [
        {
            **{f"validation {name}": value for name, value in run.record.metrics.items()},
            **{f"test {name}": value for name, value in run.record.test.items()},
            **{
                f"{name.replace('/', ' ')}, 95 %": f"{low:.4f} to {high:.4f}"
                for name, (low, high) in run.record.intervals.items()
            },
            **{f"{split} calibration error": value for split, value in run.record.calibration.items()},
        }
        for run in runs
    ]
    always = (*PLAIN, "epochs done", "best epoch", "steps done", "seconds")
    facts = [row for row in _rows(known) if row.differs or row.name in always]
    return (*facts, *_rows(reached))


def _rows(records: Sequence[dict[str, Json]]) -> list[ComparedRow]:
    names = dict.fromkeys(name for record in records for name in record)
    return [ComparedRow(name=name, values=tuple(record.get(name) for record in records)) for name in names]
