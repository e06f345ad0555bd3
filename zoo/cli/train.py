"""`zoo train`: a model learns from data, and a run directory keeps everything about it."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.api.errors import UsageError
from zoo.cli.download import check_obtainable, download_weights
from zoo.cli.dry_run import show_config, try_step
from zoo.cli.terminal.options import complete_name, json_option, licence_option, train_options
from zoo.cli.terminal.output import Output
from zoo.cli.terminal.peers import TrainCommand
from zoo.cli.terminal.progress import watching
from zoo.data.summary import summarise_for
from zoo.registry.catalog import Catalog
from zoo.runs.replacement import waits_for_its_place
from zoo.runs.resumable import check_resumable, starting_checkpoint
from zoo.runs.run import Run
from zoo.runs.train_options import TrainOptions, chosen_flags, command_words
from zoo.training.advice.remedy import remedy
from zoo.training.engine.local import QUIET
from zoo.training.engine.place import launched, leads
from zoo.training.launch.memory import check_memory_limit
from zoo.training.launch.request import TrainingRequest, check_data, resolve_training, suit_to_data

if TYPE_CHECKING:
    from zoo.api.data import DataCard
    from zoo.api.task import Progress
    from zoo.training.launch.run_training import Ended

SCHEMA = 1
BESIDE_RESUME = ("--data", "--devices", "--callback")
"""What may be said of a run that is resumed."""
SHOWN_RATES = 20
"""Rows of the table of --find-lr, about."""
PATH = click.Path(path_type=Path)


@click.command("train", cls=TrainCommand)
@click.argument("model", required=False, shell_complete=complete_name)
@train_options
@click.option("--resume", type=PATH, help="Continue an interrupted run; stands instead of MODEL.")
@click.option("--allow-inexact", is_flag=True, help="Resume even where it cannot be exact.")
@click.option("--from-scratch", is_flag=True, help="With --resume: begin again, and keep the checkpoints aside.")
@click.option("--find-lr", is_flag=True, help="Try rising learning rates for 100 steps and suggest one; train nothing.")
@click.option("--dry-run", is_flag=True, help="Check everything and show the config; train nothing.")
@licence_option
@json_option
def train(
    *,
    model: str | None,
    resume: Path | None,
    allow_inexact: bool,
    from_scratch: bool,
    find_lr: bool,
    dry_run: bool,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Train MODEL on the default data of its task, or on yours."""
    output, options = Output(as_json=as_json), TrainOptions(**chosen)
    check_memory_limit()
    if launched() is not None:
        os.environ.setdefault(*QUIET)
    catalog = Catalog.discover()
    if find_lr and (dry_run or resume is not None):
        raise UsageError(
            "--find-lr tries rates for a new training, and goes with neither --dry-run nor --resume",
            hint="leave one of them out",
        )
    if resume is not None and dry_run:
        raise UsageError("--dry-run looks at a new training, and --resume continues one", hint="leave one of them out")
    if resume is None and from_scratch:
        raise UsageError("--from-scratch is said of a run that is resumed", hint="name the run with --resume RUN")
    if resume is not None:
        _refuse_beside_resume(model, options)
        ended = _resume(
            resume,
            catalog,
            data=options.data,
            devices=options.devices,
            callbacks=options.callbacks,
            allow_inexact=allow_inexact,
            from_scratch=from_scratch,
            output=output,
        )
        _conclude(ended, catalog, output)
        return
    request = resolve_training(model, options, catalog=catalog)
    _check_device(request.config.device)
    with _watching() as watch:
        card = check_data(request, progress=watch)
    request = suit_to_data(request, card)
    summary = summarise_for(request.task, card, request.config.input)
    for line in summary.lines():
        _printer(output)(line)
    if dry_run:
        check_obtainable(request.teacher_weights)
        if request.weights is not None:
            check_obtainable(request.weights.entry)
        input = request.task.problem(card, request.config.input).input  # grey or colour, as the data are
        request = replace(request, config=replace(request.config, input=input))
        show_config(request, summary, try_step(request, card, output, say=_printer(output)), output)
        output.next(" ".join(["zoo train", *([model] if model else []), *command_words(options)]))
        return
    download_weights(request.teacher_weights)
    if request.weights is not None:
        download_weights(request.weights.entry)
    if find_lr:
        _find_lr(request, card, model, output)
        return
    from zoo.training.launch.start import begin  # noqa: PLC0415  torch, after all that can go wrong without it

    ended = begin(request, card, argv=sys.argv, callbacks=_callbacks(), say=_printer(output))
    _conclude(ended, catalog, output)


def _find_lr(request: TrainingRequest, card: DataCard, model: str | None, output: Output) -> None:
    """Say the loss at rising rates, and the command that trains at the one where it falls fastest."""
    from zoo.training.launch.start import find_lr  # noqa: PLC0415  torch, after all that can go wrong without it

    found = find_lr(request, card, say=_printer(output))
    output.document(
        {"schema": SCHEMA, "rates": list(found.rates), "losses": list(found.losses), "suggested": found.suggested}
    )
    every = max(len(found.rates) // SHOWN_RATES, 1)
    rows = list(zip(found.rates, found.losses, strict=True))[::every]
    output.table(("learning rate", "loss"), [(f"{rate:.1e}", f"{loss:.4f}") for rate, loss in rows])
    named = [*([model] if model else [])]
    if found.suggested is None:
        output.note("the loss falls at none of these rates; the recipe's own stays")
        output.next(" ".join(["zoo train", *named, *command_words(request.options)]))
        return
    output.line(f"the loss falls fastest at {found.suggested:g}; the recipe says {request.config.recipe.lr:g}")
    output.next(" ".join(["zoo train", *named, *command_words(replace(request.options, lr=found.suggested))]))


def _check_device(device: str) -> None:
    """UsageError for a GPU that this machine does not have, before the data are checked."""
    if device in ("cuda", "mps"):
        from zoo.models.device import choose_device  # noqa: PLC0415  torch, for who asks for a GPU

        choose_device(device)


def _refuse_beside_resume(model: str | None, options: TrainOptions) -> None:
    """A resumed run keeps its config, but for its data's place, its processes and what listens; else an error."""
    flags = [*(flag for flag in chosen_flags(options) if flag not in BESIDE_RESUME), *(["MODEL"] if model else [])]
    if flags:
        raise UsageError(f"--resume takes the run's own config, and {', '.join(flags)} cannot change it")


def _resume(
    path: Path,
    catalog: Catalog,
    *,
    data: str | Path | None,
    devices: int | None,
    callbacks: Sequence[str],
    allow_inexact: bool,
    from_scratch: bool,
    output: Output,
) -> Ended:
    run = Run.open(path)  # its errors come before torch
    check_resumable(run)
    starting_checkpoint(run, from_scratch=from_scratch, verify=False)
    from zoo.training.launch.resume import resume  # noqa: PLC0415  torch

    with _watching() as watch:
        return resume(
            path,
            catalog=catalog,
            allow_inexact=allow_inexact,
            from_scratch=from_scratch,
            data=data,
            devices=devices,
            callbacks=[*callbacks, *_callbacks()],
            progress=watch,
            say=_printer(output),
        )


def _printer(output: Output) -> Callable[[str], None]:
    """Prints a sentence, in the process that prints."""

    def say(text: str) -> None:
        if leads():
            (output.note if output.as_json else output.line)(text)

    return say


def _callbacks() -> list[Any]:
    """The live line, on stdout, which is stderr under --json."""
    from zoo.training.callbacks.live_line import LiveLine  # noqa: PLC0415  torch

    return [LiveLine()] if leads() else []


@contextmanager
def _watching() -> Iterator[Progress]:
    """Shows how far the check of the data is, in the process that prints."""
    with watching(shown=leads()) as watch:
        yield watch


def _conclude(ended: Ended, catalog: Catalog, output: Output) -> None:
    """Say how it ended, where it is, and what to do next; every process has the exit code."""
    if not leads():
        if ended.outcome.status == "interrupted":
            click.get_current_context().exit(128 + (ended.outcome.signal or 2))
        return
    from zoo.training.callbacks.live_line import clock, score  # noqa: PLC0415  torch was imported to train

    run, outcome = ended.run, ended.outcome
    record = run.record
    output.document(
        {
            "schema": SCHEMA,
            "run": str(run.path),
            "model": record.model,
            "task": record.task,
            "status": record.status,
            "metrics": {**record.metrics, **{f"test/{name}": value for name, value in record.test.items()}},
            "best_epoch": record.best_epoch,
            "seconds": record.seconds,
            "findings": [{"kind": finding.kind, "message": finding.message} for finding in ended.findings],
        }
    )
    if outcome.status == "interrupted":
        output.note(f"{outcome.reason}: saved at step {outcome.steps:,} in {run.path}")
        if waits_for_its_place(run):
            output.note(f"{run.path.with_name(run.record.replaces)} is as it was, until this training has finished")
        output.next(shlex.join(["zoo", "train", "--resume", str(run.path)]))
        click.get_current_context().exit(128 + (outcome.signal or 2))
    best = "  ".join(score(name, value) for name, value in record.metrics.items())
    which = f"best epoch {record.best_epoch}: {best}" if record.best_epoch else "no epoch could be measured"
    output.line(f"{outcome.reason} in {clock(outcome.seconds)}; {which}")
    if record.test:
        output.line("test: " + "  ".join(score(name, value) for name, value in record.test.items()))
    output.line(f"run: {run.path}  (report: {run.path / 'report.html'})")
    for finding in ended.findings:
        output.line(f"warning: {finding.message}")
    output.next(remedy(ended, catalog) if ended.findings else _next(ended))


def _next(ended: Ended) -> str:
    """The command that makes use of a finished run."""
    path = ended.run.path
    if ended.entry.spec.export.not_exportable:
        return shlex.join(["zoo", "predict", str(path), "FILE"])
    return "zoo export --onnx" if _is_default_output(path) else shlex.join(["zoo", "export", str(path), "--onnx"])


def _is_default_output(path: Path) -> bool:
    return not path.is_absolute() and len(path.parts) == 3 and path.parts[0] == "runs"
