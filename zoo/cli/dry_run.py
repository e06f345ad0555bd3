"""What `zoo train --dry-run` shows: the config, the recipe, and how long the training would take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from zoo.api.data import counted
from zoo.cli.terminal import text
from zoo.cli.terminal.output import Output
from zoo.models.weights.published import is_here
from zoo.runs.recipe_overrides import recipe_settings
from zoo.runs.train_config import config_json
from zoo.training.launch.request import TrainingRequest

if TYPE_CHECKING:
    from zoo.api.data import DataCard
    from zoo.data.summary import DataSummary
    from zoo.training.launch.rehearsal import Rehearsal

SCHEMA = 1
UNSHOWN = ("schema", "recipe", "choices")
"""Parts of the config that are said in another way, or that are for machines alone."""


def try_step(
    request: TrainingRequest, card: DataCard, output: Output, *, say: Callable[[str], None]
) -> Rehearsal | None:
    """One step done on a copy; None where the weights are published and were not downloaded."""
    needed = [request.teacher_weights, request.weights.entry if request.weights else None]
    if absent := [entry.bare_name for entry in needed if entry is not None and not is_here(entry)]:
        output.note(f"{' and '.join(absent)} can be downloaded; no step was tried without them")
        return None
    from zoo.training.launch.start import dry_run  # noqa: PLC0415  torch, after all that can go wrong without it

    return dry_run(request, card, say=say)


def show_config(request: TrainingRequest, summary: DataSummary, rehearsal: Rehearsal | None, output: Output) -> None:
    """What the training would be: its config, its recipe, its data, and what it would take."""
    record = config_json(request.config)
    output.document(
        {
            "schema": SCHEMA,
            "config": record,
            "data": summary.document(),
            "counts": {name: split.items for name, split in summary.splits.items()},
            "classes": list(summary.classes),
            "run": str(request.output),
            "estimate": _estimate(rehearsal),
        }
    )
    shown = {name: value for name, value in record.items() if name not in UNSHOWN and value is not None}
    output.facts([(name, str(value)) for name, value in {**shown, "input": request.config.input.describe()}.items()])
    output.line("the recipe, which --set changes:")
    output.facts(recipe_settings(request.config.recipe, request.trainer.spec.options))
    for line in estimate_lines(rehearsal) if rehearsal else ():
        output.line(line)


def estimate_lines(rehearsal: Rehearsal) -> Iterator[str]:
    """What the training will take, by the one step that was measured."""
    from zoo.training.callbacks.live_line import clock  # noqa: PLC0415  torch is there already

    yield (
        f"estimate: {clock(rehearsal.total_seconds)} for {counted(rehearsal.steps, 'step')} of "
        f"{rehearsal.step_seconds:.2g} s and {rehearsal.evaluations:,} evaluations of "
        f"{rehearsal.evaluation_seconds:.2g} s, measured here"
    )
    yield (
        f"disk: up to {text.size(rehearsal.checkpoint_bytes)} for the checkpoints, "
        f"about {text.size(rehearsal.final_bytes)} at the end; {text.size(rehearsal.free_bytes)} are free"
    )


def _estimate(rehearsal: Rehearsal | None) -> dict[str, object] | None:
    """What the training will take, for machines."""
    if rehearsal is None:
        return None
    return {
        "steps": rehearsal.steps,
        "step_seconds": rehearsal.step_seconds,
        "seconds": rehearsal.seconds,
        "evaluations": rehearsal.evaluations,
        "evaluation_seconds": rehearsal.evaluation_seconds,
        "total_seconds": rehearsal.total_seconds,
        "disk_bytes": rehearsal.checkpoint_bytes,
        "free_bytes": rehearsal.free_bytes,
    }
