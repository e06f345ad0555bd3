"""`zoo report`: the page about a run, written anew from what lies in its folder."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import click

from zoo.api.errors import BadFile
from zoo.cli.terminal.options import json_option
from zoo.cli.terminal.output import Output
from zoo.runs.run import Run


@click.command("report")
@click.argument("path", metavar="RUN", type=click.Path(path_type=Path))
@json_option
def report(path: Path, as_json: bool) -> None:
    """Write RUN/report.html: every epoch, intervals, classes, calibration, mistakes; also of an unfinished run."""
    out = Output(as_json=as_json)
    if (path / "manifest.json").is_file():
        raise BadFile(
            f"{path} is a bundle, whose report is {path / 'report.html'}", hint="name a run, as `zoo runs` does"
        )
    run = Run.open(path)
    from zoo.training.callbacks.curves import draw_curves  # noqa: PLC0415  matplotlib, where curves are drawn
    from zoo.training.callbacks.metrics_csv import read_rows  # noqa: PLC0415  after all that can go wrong without it
    from zoo.training.results.report import write_report  # noqa: PLC0415

    rows = read_rows(path / "metrics.csv")
    curves = path / "pictures" / "curves.png"
    if rows and run.status != "finished":
        curves.parent.mkdir(exist_ok=True)
        draw_curves(rows, curves)
    file = write_report(run)
    record = run.record
    out.document(
        {
            "schema": 1,
            "run": str(path),
            "report": str(file),
            "status": run.status,
            "best_epoch": record.best_epoch,
            "metrics": dict(record.metrics),
            "test": dict(record.test),
            "intervals": {name: list(interval) for name, interval in record.intervals.items()},
            "calibration": dict(record.calibration),
            "epochs": rows,
        }
    )
    out.line(f"report: {file}")
    out.next(f"zoo eval {quote(str(path))}" if run.status == "finished" else f"zoo train --resume {quote(str(path))}")
