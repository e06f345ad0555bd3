"""`zoo runs`: the trainings in a folder, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

import click

from zoo.api.errors import UnknownName
from zoo.cli import text
from zoo.cli.options import json_option
from zoo.cli.output import Output
from zoo.registry.catalog import Catalog
from zoo.runs.listing import list_runs
from zoo.runs.run import Run


@click.command("runs")
@click.option("--runs-root", type=click.Path(path_type=Path), default=Path("runs"), show_default=True)
@click.option("--all", "everywhere", is_flag=True, help="Every run of yours on this machine, wherever it is.")
@json_option
def runs(runs_root: Path, everywhere: bool, as_json: bool) -> None:
    """The trainings in a folder and those made from here with -o, newest first: status, model, data, metric, age."""
    out = Output(as_json=as_json)
    catalog = Catalog.discover()
    listed = list_runs(runs_root, everywhere=everywhere)
    for sentence in listed.unreadable:
        out.note(sentence)
    out.document({"schema": 1, "runs": [_record(run) for run in listed.runs], "unreadable": list(listed.unreadable)})
    if listed.runs:
        out.table(
            ("run", "status", "model", "data", "epochs", "validation", "age"),
            [_row(run, catalog) for run in listed.runs],
            right=("epochs", "age"),
        )
    else:
        out.note(f"there are no runs in {runs_root}")
    out.next(_next(listed.runs))


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
