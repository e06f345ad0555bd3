"""report.html of a run: one file with its numbers, pictures and mistakes, in the style of a bundle's report."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from zoo.api.data import counted
from zoo.bundle.report.html import Child, Html, element, picture, table
from zoo.bundle.report.page import document
from zoo.runs.atomic import write_bytes
from zoo.runs.run import Run
from zoo.runs.serialization import to_json
from zoo.runs.train_config import TrainConfig
from zoo.training.callbacks.metrics_csv import read_rows

TITLES: Final[Mapping[str, str]] = {
    "curves": "The training, epoch by epoch",
    "confusion": "Which classes are confused",
    "classes": "Class by class",
    "calibration": "Whether its probabilities can be believed",
    "precision_recall": "Precision over recall",
    "mistakes": "The worst mistakes",
    "detections": "The truth, and what the model finds",
    "segmentation": "The picture, the truth, and what the model says",
}
"""What the pictures and tables of the usual names show; others are called by their names."""


def _threads(number: int | None) -> str:
    return "threads of the machine's choice" if number is None else counted(number, "thread")


INTERVALS: Final = (
    "The validation split chose the best epoch, so its numbers are a little too good; the test split chose nothing. "
    "Intervals of shares are Wilson's, those of macro_f1 are by bootstrap, those of means by their standard error; "
    "they tell how far other items of the same kind may lie off. The calibration error is the mean distance between "
    "the probability of an answer and the share of right ones, in 15 bins."
)
"""What the table of intervals means."""


def write_report(run: Run) -> Path:
    """Write report.html into the run directory."""
    record, config = run.record, run.config
    title = f"{config.model} on {config.data}"
    body = [
        _header(run, title),
        *(element("p", note, kind="dim") for note in (*run.data.notes, *record.notes)),
        *_uncertainty(run),
        *_shown(run.path / "pictures"),
        _section("Epochs", _epochs(read_rows(run.path / "metrics.csv"))),
        _section("Recipe", _facts({name: str(value) for name, value in to_json(config.recipe).items()})),
        *_choices(config),
        _section("Versions", _facts(record.versions)),
    ]
    file = run.path / "report.html"
    write_bytes(file, document(title, body).encode(errors="backslashreplace"))  # file names may not be valid UTF-8
    return file


def _header(run: Run, title: str) -> Html:
    record, config = run.record, run.config
    counts = ", ".join(f"{count:,} {name}" for name, count in run.data.counts.items())
    facts = {
        "data": f"{config.data} ({counts})",
        "started from": config.weights or f"seed {config.seed}",
        "created": record.created,
        "trained": f"{counted(record.epochs, 'epoch')}, {counted(record.steps, 'step')}, {record.seconds:.0f} s",
        "machine": f"{config.device}, {counted(config.devices, 'process', 'processes')} of {_threads(config.threads)}, "
        f"precision {config.recipe.precision}",
        "status": run.status,
        "best epoch": str(record.best_epoch or "none yet"),
        "validation": _numbers(record.metrics),
        "test": _numbers(record.test) or ("no test split" if run.status == "finished" else "not tested yet"),
    }
    return element("header", element("h1", title), _facts(facts), kind="run")


def _section(title: str, *content: Child) -> Html:
    return element("section", element("h2", title), *content)


def _numbers(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())


def _facts(facts: Mapping[str, str]) -> Html:
    return table((), facts.items(), kind="facts")


def _epochs(rows: list[dict[str, float]]) -> Html:
    if not rows:
        return element("p", "none")
    return table(rows[0], ([f"{value:.5g}" for value in row.values()] for row in rows), kind="numbers")


def _uncertainty(run: Run) -> Iterable[Html]:
    """How sure the numbers of the best epoch are; nothing where no metric has an interval."""
    record, rows = run.record, []
    for split, metrics in {"validation": record.metrics, "test": record.test}.items():
        items = f"{run.data.counts.get(split, 0):,}"
        for name, value in metrics.items():
            if interval := record.intervals.get(f"{split}/{name}"):
                rows.append((split, name, f"{value:.4f}", f"{interval[0]:.4f} to {interval[1]:.4f}", items))
        if split in record.calibration:
            rows.append((split, "calibration error", f"{record.calibration[split]:.4f}", "", items))
    if rows:
        yield _section(
            "How sure these numbers are",
            table(("split", "metric", "value", "95 % interval", "items"), rows, kind="rows"),
            element("p", INTERVALS, kind="dim"),
        )


def _choices(config: TrainConfig) -> Iterable[Html]:
    """What zoo chose for the data, and why; nothing where it chose nothing."""
    if config.choices:
        chosen = {choice.name: f"{choice.value}: {choice.reason}" for choice in config.choices}
        yield _section("Chosen for the data", _facts(chosen))


def _shown(folder: Path) -> Iterable[Html]:
    """A section for each picture and table, those of the usual names first."""
    names = {file.stem for file in folder.glob("*.png")} | {file.stem for file in folder.glob("*.csv")}
    for name in sorted(names, key=lambda name: (list(TITLES).index(name) if name in TITLES else len(TITLES), name)):
        image, rows = folder / f"{name}.png", folder / f"{name}.csv"
        parts = [element("div", picture(image.read_bytes(), alt=name), kind="drawn")] if image.is_file() else []
        parts += [_rows(rows)] if rows.is_file() else []
        yield _section(TITLES.get(name, name), *parts)


def _rows(file: Path) -> Html:
    with file.open(newline="", encoding="utf-8", errors="surrogateescape") as lines:
        header, *rows = csv.reader(lines)
    return table(header, rows, kind="rows")
