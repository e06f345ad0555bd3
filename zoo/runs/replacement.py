"""A training that is to replace a run: it stands beside it until it has finished, so that one of the two is whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from zoo.api.errors import BadFile, OutputExists
from zoo.runs import checkpoints
from zoo.runs.atomic import disk_errors, swap
from zoo.runs.known_runs import remember_run
from zoo.runs.run import Run, check_output, delete

SUFFIX: Final = ".new"


def training_place(output: Path, *, overwrite: bool) -> Path:
    """Where a training is made: its output, or beside the run there that it is to replace.

    OutputExists where an interrupted training waits at that place already.
    """
    check_output(output, overwrite=overwrite)
    if not overwrite or not (output / "run.json").is_file():
        return output
    whole = output.absolute() if output.name in ("", "..") else output
    place = whole.with_name(whole.name + SUFFIX)
    if place.exists():
        _check_abandoned(place, output)
    return place


def _check_abandoned(place: Path, output: Path) -> None:
    """OutputExists unless the training at the place failed, or was stopped before it had saved anything."""
    try:
        run = Run.open(place)
    except BadFile as error:
        raise OutputExists(
            f"{place} is in the way: a training that replaces {output} is made there, and it is no run",
            hint="move it, or choose another place with -o",
        ) from error
    if run.status == "running":
        check_output(place, overwrite=True)
    if run.status != "failed" and checkpoints.present(run.checkpoints):
        raise OutputExists(
            f"{place} is a training that was to replace {output} and is {run.status}",
            hint=f"zoo train --resume {place} goes on with it; zoo runs rm {place} removes it",
        )


def make_place(place: Path, output: Path) -> None:
    """Remove what a failed training left at its place beside the output."""
    if place != output and place.exists():
        delete(Run.open(place))


def waits_for_its_place(run: Run) -> bool:
    """Whether a run is to take the place of another one, and has not yet."""
    return bool(run.record.replaces) and run.path.absolute().name == run.record.replaces + SUFFIX


def take_place(run: Run) -> Run:
    """A finished run at the place of the one that it replaces, which is removed; any other run as it is."""
    if not waits_for_its_place(run):
        return run
    target = run.path.with_name(run.record.replaces)
    try:
        check_output(target, overwrite=True)
    except OutputExists as error:
        raise OutputExists(error.message, hint=f"the new run has finished and stays in {run.path}") from error
    with disk_errors(target):
        swap(run.path, target)
    remember_run(target)
    return replace(run, path=target).update(replace(run.record, replaces=""))
