"""Whether a run can be trained on, and from where: what cannot be read is named, and never replaced."""

from __future__ import annotations

from zoo.api.errors import BadFile, UsageError
from zoo.runs import checkpoints
from zoo.runs.checkpoints import Found
from zoo.runs.config_changes import edited
from zoo.runs.replacement import waits_for_its_place
from zoo.runs.run import Run

MAX_NAMED = 4
"""Edited fields that an error names."""


def check_resumable(run: Run) -> None:
    """UsageError for a run that is being trained, that has finished, or whose config.json was edited."""
    if run.status == "running":
        raise UsageError(
            f"{run.path} is still being trained by process {run.record.pid} on {run.record.host}",
            hint="wait for its end, or interrupt it with Ctrl-C; if it is gone from a host that shares no locks, "
            f"write interrupted for the status in {run.path / 'run.json'}",
        )
    check_unfinished(run)
    if changes := edited(run.config, run.record.config):
        more = f" and {len(changes) - MAX_NAMED} more" if len(changes) > MAX_NAMED else ""
        raise UsageError(
            f"{run.path / 'config.json'} was edited after the run began: {'; '.join(changes[:MAX_NAMED])}{more}",
            hint=f"put the values back to resume it, or begin a new run: zoo train --config {run.path}",
        )


def check_unfinished(run: Run) -> None:
    """UsageError for a run that has finished, unless it still has to take the place of another one."""
    if run.record.status == "finished" and not waits_for_its_place(run):
        raise UsageError(
            f"{run.path} is finished: there is nothing to resume",
            hint=f"to train on from its weights: zoo train {run.config.model} --weights {run.path}",
        )


def starting_checkpoint(run: Run, *, from_scratch: bool = False, verify: bool = True) -> Found | None:
    """The checkpoint that a training goes on from; None where it begins again from its seed.

    BadFile where there are checkpoints and none is whole, unless `from_scratch`; without `verify` by their sizes alone.
    """
    if from_scratch or not checkpoints.present(run.checkpoints):
        return None
    try:
        return run.checkpoint("last", resumable=True, verify=verify)
    except BadFile as error:
        broken = checkpoints.damaged(run.checkpoints)
        if not broken:
            raise
        whole = " and ".join(item.path.name for item in broken if item.weights)
        use = f"zoo eval {run.path} and zoo export {run.path} --onnx need only weights, and those of {whole} are whole"
        raise BadFile(
            f"{run.path} has no checkpoint to go on from: {'; '.join(item.reason for item in broken)}",
            hint=f"{use if whole else 'put the files back from a copy, if there is one'}; "
            f"zoo train --resume {run.path} --from-scratch begins again, and keeps what is there in "
            f"{run.checkpoints / checkpoints.ASIDE}",
        ) from error


def clear_way(run: Run, *, from_scratch: bool) -> tuple[str, ...]:
    """Before a training goes on: half-written files removed, unreadable checkpoints set aside; a sentence for each.

    With `from_scratch` every checkpoint is set aside.
    """
    checkpoints.sweep(run.path)
    folder = run.checkpoints
    paths = checkpoints.present(folder) if from_scratch else tuple(item.path for item in checkpoints.damaged(folder))
    sentences = []
    for path in paths:
        kept = checkpoints.set_aside(path)
        sentences.append(f"{path.name} is kept in {kept}")
    if from_scratch:
        for which in ("best", "last"):
            (folder / f"{which}.json").unlink(missing_ok=True)
    return tuple(sentences)
