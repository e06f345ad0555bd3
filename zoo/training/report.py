"""report.html of a run: one file with all its pictures and numbers."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping
from pathlib import Path

from zoo.api.untrusted import visible
from zoo.bundle.report.html import content_policy
from zoo.runs.atomic import write_bytes
from zoo.runs.run import Run
from zoo.runs.serialization import to_json
from zoo.runs.train_config import TrainConfig
from zoo.training.callbacks.metrics_csv import read_rows

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem } img { max-width: 100% }
table { border-collapse: collapse } td, th { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top }
td.n { text-align: right; font-variant-numeric: tabular-nums } code { background: #f3f3f3; padding: 0 .2rem }
"""
POLICY = f'<meta http-equiv="Content-Security-Policy" content="{content_policy(STYLE)}">'


def write_report(run: Run) -> Path:
    """Write report.html into the run directory."""
    record, config = run.record, run.config
    rows = read_rows(run.path / "metrics.csv")
    facts = {
        "model": config.model,
        "data": f"{config.data} ({', '.join(f'{count:,} {name}' for name, count in run.data.counts.items())})",
        "started from": config.weights or f"seed {config.seed}",
        "created": record.created,
        "trained": f"{record.epochs} epochs, {record.steps:,} steps, {record.seconds:.0f} s",
        "machine": f"{config.device}, {config.devices} process(es) of {config.threads} thread(s), "
        f"precision {config.recipe.precision}",
        "best epoch": str(record.best_epoch),
        "validation": _numbers(record.metrics),
        "test": _numbers(record.test) or "no test split",
    }
    sections = [
        f"<h1>{escape(config.model)} on {escape(config.data)}</h1>",
        _table(facts),
        *(f"<p>{escape(note)}</p>" for note in (*run.data.notes, *record.notes)),
        *_pictures(run.path / "pictures"),
        "<h2>epochs</h2>",
        _rows(rows),
        "<h2>recipe</h2>",
        _table({name: str(value) for name, value in to_json(config.recipe).items()}),
        *_choices(config),
        "<h2>versions</h2>",
        _table(record.versions),
    ]
    page = f"<!doctype html><meta charset=utf-8>{POLICY}<title>{escape(config.model)}</title><style>{STYLE}</style>"
    file = run.path / "report.html"
    html = page + "\n".join(sections) + "\n"
    write_bytes(file, html.encode(errors="backslashreplace"))  # file names may not be valid UTF-8
    return file


def escape(text: str) -> str:
    """Text as HTML, its control characters spelled out."""
    return html.escape(visible(text))


def _numbers(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())


def _table(facts: Mapping[str, str]) -> str:
    lines = (f"<tr><th>{escape(name)}<td>{escape(value)}" for name, value in facts.items())
    return f"<table>{''.join(lines)}</table>"


def _rows(rows: list[dict[str, float]]) -> str:
    if not rows:
        return "<p>none</p>"
    head = "".join(f"<th>{escape(name)}" for name in rows[0])
    body = "".join("<tr>" + "".join(f"<td class=n>{value:.5g}" for value in row.values()) for row in rows)
    return f"<table><tr>{head}{body}</table>"


def _choices(config: TrainConfig) -> list[str]:
    """What zoo chose for the data, and why; nothing where it chose nothing."""
    if not config.choices:
        return []
    chosen = {choice.name: f"{choice.value}: {choice.reason}" for choice in config.choices}
    return ["<h2>chosen for the data</h2>", _table(chosen)]


def _pictures(folder: Path) -> Iterable[str]:
    for file in sorted(folder.glob("*.png")):
        data = base64.b64encode(file.read_bytes()).decode()
        yield f'<h2>{escape(file.stem)}</h2><img alt="{escape(file.stem)}" src="data:image/png;base64,{data}">'
