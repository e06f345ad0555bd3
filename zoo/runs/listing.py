"""The runs below a folder, and the one among them that commands without TARGET take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from zoo.api.errors import BadFile, UsageError
from zoo.runs.known_runs import known_runs
from zoo.runs.run import Run

RUNS: Final = Path("runs")
"""Where runs are made unless -o names another place."""
SORT_KEYS: Final = ("created", "model", "data", "status", "epochs", "seconds")
"""What runs can be sorted by, beside their metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunList:
    """The runs below a root, newest first, and a sentence for each that cannot be read."""

    runs: tuple[Run, ...]
    unreadable: tuple[str, ...] = ()


def list_runs(root: Path = RUNS, *, everywhere: bool = False) -> RunList:
    """Every run in root/*/*; for the usual root also those that were made from this folder with -o.

    With `everywhere` every run of this user that is still there.
    """
    runs, unreadable = [], []
    for folder in _folders(root, everywhere=everywhere):
        try:
            runs.append(Run.open(folder))
        except BadFile as error:
            unreadable.append(error.message)
    runs.sort(key=lambda run: run.record.created, reverse=True)
    return RunList(runs=tuple(runs), unreadable=tuple(unreadable))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs are wanted; patterns as in a shell, and nothing where all are."""

    model: str = ""
    """Of the name, with or without the plugin's."""
    data: str = ""
    task: str = ""
    status: str = ""

    def takes(self, run: Run) -> bool:
        """Whether a run is wanted."""
        config = run.config
        names = (config.model, config.model.rpartition("/")[2])
        return (
            (not self.model or any(fnmatchcase(name, self.model) for name in names))
            and (not self.data or fnmatchcase(config.data, self.data))
            and (not self.task or run.record.task == self.task)
            and (not self.status or run.status == self.status)
        )


def sorted_by(runs: Sequence[Run], key: str, *, falling: bool = False) -> tuple[Run, ...]:
    """The runs by created, model, data, status, epochs, seconds, or a metric by its name: test/top1 of the test split.

    Those without the metric come last, whichever the direction.  UsageError for a name that no run has.
    """
    values = [_sort_value(run, key) for run in runs]
    if runs and all(value is None for value in values):
        metrics = sorted({name for run in runs for name in run.record.metrics})
        known = ", ".join((*SORT_KEYS, *metrics))
        raise UsageError(f"no run can be sorted by {key!r}", hint=f"sort by {known}; test/METRIC is of the test split")
    pairs = [(value, run) for value, run in zip(values, runs, strict=True) if value is not None]
    pairs.sort(key=lambda pair: pair[0], reverse=falling)
    return (*(run for _, run in pairs), *(run for run, value in zip(runs, values, strict=True) if value is None))


def _sort_value(run: Run, key: str) -> Any:
    record = run.record
    if key in SORT_KEYS:
        fields = {"model": run.config.model, "data": run.config.data, "status": run.status}
        return fields[key] if key in fields else getattr(record, key)
    if key.startswith("test/"):
        return record.test.get(key.removeprefix("test/"))
    return record.metrics.get(key)


def _folders(root: Path, *, everywhere: bool) -> list[Path]:
    """Each run directory once, those of the working directory by their relative path."""
    here = Path.cwd()
    folders = {file.parent.resolve(): file.parent for file in sorted(root.glob("*/*/run.json"))}
    for known in known_runs() if everywhere or root == RUNS else ():
        if everywhere or known.belongs_to(here):
            path = known.path.relative_to(here) if here in known.path.parents else known.path
            folders.setdefault(known.path.resolve(), path)
    return list(folders.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestRun:
    """The run that commands without TARGET take, and a sentence for each newer one that was skipped."""

    run: Run
    skipped: tuple[str, ...] = ()


def latest_run(root: Path = RUNS) -> LatestRun | None:
    """The newest finished or interrupted run with a valid checkpoint; None when there is none."""
    listed = list_runs(root)
    skipped = list(listed.unreadable)
    for run in listed.runs:
        reason = why_skipped(run)
        if not reason:
            return LatestRun(run=run, skipped=tuple(skipped))
        skipped.append(reason)
    return None


def why_skipped(run: Run) -> str:
    """Why commands without TARGET do not take a run; empty where they would."""
    if run.status not in ("finished", "interrupted"):
        return f"skipped {run.path}: it is {run.status}"
    try:
        run.checkpoint(verify=False)
    except BadFile as error:
        return f"skipped {run.path}: {error.message}"
    return ""
