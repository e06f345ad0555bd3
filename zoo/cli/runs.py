"""`zoo runs`: the trainings in a folder, compared, removed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import get_args

import click

from zoo.api.errors import OutputExists, UnknownName, UsageError
from zoo.cli.terminal import text
from zoo.cli.terminal.options import json_option
from zoo.cli.terminal.output import Output
from zoo.registry.catalog import Catalog
from zoo.runs.atomic import check_name
from zoo.runs.comparison import compare_runs
from zoo.runs.listing import SORT_KEYS, RunFilter, list_runs, sorted_by
from zoo.runs.run import Run, Status, check_idle, delete


@click.group("runs", invoke_without_command=True)
@click.option("--runs-root", type=click.Path(path_type=Path), default=Path("runs"), show_default=True)
@click.option("--all", "everywhere", is_flag=True, help="Every run of yours on this machine, wherever it is.")
@click.option("--model", default="", metavar="PATTERN", help="Only of these models, as in 'resnet*'.")
@click.option("--data", default="", metavar="PATTERN", help="Only on these data.")
@click.option("--task", default="", help="Only of this task.")
@click.option("--status", type=click.Choice(get_args(Status)), help="Only in this state.")
@click.option("--sort", "key", help=f"By {', '.join(SORT_KEYS)}, or a metric: top1, test/top1; else the newest first.")
@click.option("--falling", is_flag=True, help="With --sort: the largest first.")
@json_option
@click.pass_context
def runs(
    context: click.Context,
    *,
    runs_root: Path,
    everywhere: bool,
    model: str,
    data: str,
    task: str,
    status: Status | None,
    key: str | None,
    falling: bool,
    as_json: bool,
) -> None:
    """The trainings in a folder and those made from here with -o, newest first: status, model, data, metric, age."""
    if context.invoked_subcommand is not None:
        return
    out = Output(as_json=as_json)
    catalog = Catalog.discover()
    listed = list_runs(runs_root, everywhere=everywhere)
    for sentence in listed.unreadable:
        out.note(sentence)
    wanted = RunFilter(model=model, data=data, task=task, status=status or "")
    shown = tuple(run for run in listed.runs if wanted.takes(run))
    shown = sorted_by(shown, key, falling=falling) if key else shown
    out.document({"schema": 1, "runs": [_record(run) for run in shown], "unreadable": list(listed.unreadable)})
    if shown:
        out.table(
            ("run", "status", "model", "data", "epochs", "validation", "age"),
            [_row(run, catalog) for run in shown],
            right=("epochs", "age"),
        )
    elif listed.runs:
        out.note(f"none of the {len(listed.runs)} runs is like that")
    else:
        out.note(f"there are no runs in {runs_root}")
    out.next(_next(shown) if shown or not listed.runs else "zoo runs")


@runs.command("rm")
@click.argument("paths", nargs=-1, required=True, metavar="RUN...", type=click.Path(path_type=Path))
@json_option
def remove_runs(paths: tuple[Path, ...], as_json: bool) -> None:
    """Delete runs with everything in them; nothing where one of them is no run or is being trained."""
    out = Output(as_json=as_json)
    opened = [Run.open(path) for path in paths]
    for run in opened:
        check_idle(run.path)
    for run in opened:
        delete(run)
        out.line(f"removed {run.path}")
    out.document({"schema": 1, "removed": [str(run.path) for run in opened]})
    out.next("zoo runs")


@runs.command("compare")
@click.argument("paths", nargs=-1, required=True, metavar="RUN RUN...", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("compare.png"),
    show_default=True,
    help="The picture.",
)
@click.option("--overwrite", is_flag=True, help="Replace the picture.")
@json_option
def compare(paths: tuple[Path, ...], output: Path, overwrite: bool, as_json: bool) -> None:
    """Runs side by side: where they differ and what they reached in one table, their curves in one picture."""
    out = Output(as_json=as_json)
    if len(paths) < 2:
        raise UsageError("a comparison needs two runs or more", hint="`zoo runs` lists them")
    check_name(output)
    if output.exists() and not overwrite:
        raise OutputExists(f"{output} exists already", hint="choose another place with -o, or say --overwrite")
    opened = [Run.open(path) for path in paths]
    rows = compare_runs(opened)
    from zoo.training.callbacks.curves import draw_comparison  # noqa: PLC0415  matplotlib
    from zoo.training.callbacks.metrics_csv import read_rows  # noqa: PLC0415  a listing draws nothing

    draw_comparison({str(run.path): read_rows(run.path / "metrics.csv") for run in opened}, output)
    out.document(
        {
            "schema": 1,
            "runs": [_record(run) for run in opened],
            "differences": {row.name: list(row.values) for row in rows if row.differs},
            "picture": str(output),
        }
    )
    names = tuple(str(run.path) for run in opened)
    out.table(("", *names), [(row.name, *map(_cell, row.values)) for row in rows], right=names)
    out.line(f"picture: {output}")
    best = next((run for run in opened if run.status == "finished"), opened[0])
    out.next(f"zoo info {quote(str(best.path))}")


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _row(run: Run, catalog: Catalog) -> tuple[str, ...]:
    record = run.record
    return (
        str(run.path),
        run.status,
        run.config.model,
        run.config.data,
        str(record.epochs),
        text.metrics(_monitored(run, catalog)),
        text.age((datetime.now(UTC) - datetime.fromisoformat(record.created)).total_seconds()),
    )


def _monitored(run: Run, catalog: Catalog) -> dict[str, float]:
    """The metric that chose the best checkpoint, or all of them where the model is not installed."""
    try:
        wanted = catalog.monitor_metric(catalog.model(run.config.model))
    except UnknownName:
        wanted = ""
    chosen = {name: value for name, value in run.record.metrics.items() if name == wanted}
    return chosen or dict(run.record.metrics)


def _record(run: Run) -> dict[str, object]:
    record = run.record
    return {
        "run": str(run.path),
        "status": run.status,
        "created": record.created,
        "model": run.config.model,
        "task": record.task,
        "data": run.config.data,
        "epochs": record.epochs,
        "best_epoch": record.best_epoch,
        "metrics": dict(record.metrics),
        "test": dict(record.test),
        "seconds": record.seconds,
    }


def _next(runs: tuple[Run, ...]) -> str:
    if not runs:
        return "zoo train resnet"
    newest = runs[0]
    path = quote(str(newest.path))
    if newest.status == "interrupted":
        return f"zoo train --resume {path}"
    return f"zoo export {path} --onnx" if newest.status == "finished" else f"zoo info {path}"
