"""The runs below a folder, and the one among them that commands without TARGET take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zoo.api.errors import BadFile
from zoo.runs.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class RunList:
    """The runs below a root, newest first, and a sentence for each that cannot be read."""

    runs: tuple[Run, ...]
    unreadable: tuple[str, ...] = ()


def list_runs(root: Path = Path("runs")) -> RunList:
    """Every run in root/*/*."""
    runs, unreadable = [], []
    for file in sorted(root.glob("*/*/run.json")):
        try:
            runs.append(Run.open(file.parent))
        except BadFile as error:
            unreadable.append(error.message)
    runs.sort(key=lambda run: run.record.created, reverse=True)
    return RunList(runs=tuple(runs), unreadable=tuple(unreadable))


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestRun:
    """The run that commands without TARGET take, and a sentence for each newer one that was skipped."""

    run: Run
    skipped: tuple[str, ...] = ()


def latest_run(root: Path = Path("runs")) -> LatestRun | None:
    """The newest finished or interrupted run with a valid checkpoint; None when there is none."""
    listed = list_runs(root)
    skipped = list(listed.unreadable)
    for run in listed.runs:
        if run.status not in ("finished", "interrupted"):
            skipped.append(f"skipped {run.path}: it is {run.status}")
            continue
        try:
            run.checkpoint(verify=False)
        except BadFile as error:
            skipped.append(f"skipped {run.path}: {error.message}")
            continue
        return LatestRun(run=run, skipped=tuple(skipped))
    return None
