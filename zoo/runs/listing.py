"""The runs below a folder, and the one among them that commands without TARGET take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zoo.api.errors import BadFile
from zoo.runs.known_runs import known_runs
from zoo.runs.run import Run

RUNS: Final = Path("runs")
"""Where runs are made unless -o names another place."""


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
