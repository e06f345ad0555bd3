"""What an evaluation comes to, and what it asks of data before it begins; torch-free."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from zoo.api.data import DataCard, Split, counted
from zoo.api.errors import UsageError
from zoo.runs.atomic import check_free, write_directory, write_json
from zoo.runs.notebook import facts_html
from zoo.runs.serialization import to_json

SHOWN_CLASSES = 5
METRICS = "metrics.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a trained model reaches on one split of some data.

    Examples:
        >>> evaluation = zoo.evaluate("cnn@digits")
        >>> evaluation.items, evaluation.split, evaluation.metrics["top1"] > 0.98
        (2000, 'test', True)
    """

    model: str
    """Full name."""
    task: str
    """The full name of the task."""
    data: str
    """What the items are of."""
    split: Split
    """Which part of the data."""
    items: int
    """How many items were measured."""
    metrics: Mapping[str, float]
    """By name; shares of 1, or in the unit of the task."""
    seconds: float
    """Of the whole evaluation."""
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """The 95 % interval of metrics that have one."""
    calibration_error: float | None = None
    """Of a classifier that was measured with PyTorch: how far probabilities are from shares of right answers."""
    notes: tuple[str, ...] = ()
    """Sentences the reader should know: no test split, data that changed since the training."""
    pictures: tuple[str, ...] = ()
    """Names of the files in the folder that was asked for."""

    def _repr_html_(self) -> str:
        facts = [("data", f"{self.data}, {self.split} split, {counted(self.items, 'item')}")]
        return facts_html(self.model, [*facts, *((name, f"{value:.4f}") for name, value in self.metrics.items())])


def recorded(metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics that a record can hold: the finite ones, as JSON has no others."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def check_save_folder(save: Path | None, *, overwrite: bool) -> None:
    """OutputExists, before anything is measured, where the folder to save to is taken."""
    if save is not None:
        check_free(save, overwrite=overwrite, mark=METRICS, option="--save")


def check_classes(model: str, known: tuple[str, ...], *, source: str, found: tuple[str, ...]) -> None:
    """UsageError unless the data have the very classes that the model answers with."""
    if known != found:
        raise UsageError(
            f"{model} answers with {_few(known)}, but {source} has {_few(found)}",
            hint="name the data that it was trained for with --data, or train on these",
        )


def _few(classes: Sequence[str]) -> str:
    shown = ", ".join(classes[:SHOWN_CLASSES])
    return f"{counted(len(classes), 'class', 'classes')} ({shown}{', …' if len(classes) > SHOWN_CLASSES else ''})"


def choose_split(card: DataCard, wanted: Split | None, *, own: bool) -> tuple[Split, tuple[str, ...]]:
    """The split to measure on, and what must be said about it; `own` data are those of the training."""
    if wanted is not None:
        if not card.splits.get(wanted):
            splits = ", ".join(f"{name} ({number})" for name, number in card.counts().items() if number)
            raise UsageError(f"{card.source.request.source} has no {wanted} split", hint=f"it has {splits}")
        return wanted, ()
    if card.splits.get("test"):
        return "test", ()
    note = f"{card.source.request.source} has no test split: measured on validation"
    if own:
        return "validation", (f"{note}, which chose the checkpoint",)
    count, others = len(card.splits["validation"]), len(card.splits["train"])
    return "validation", (f"{note} ({counted(count, 'item')}); --split train measures the other {others}",)


def save_measured(
    result: Evaluation, draw: Callable[[Path], Sequence[Path]], folder: Path, *, overwrite: bool
) -> Evaluation:
    """A new folder with metrics.json and what `draw` puts there; the result with the names of these pictures."""
    pictures: list[str] = []

    def fill(directory: Path) -> None:
        pictures.extend(sorted(path.name for path in draw(directory)))
        write_json(directory / METRICS, {"schema": 1, **to_json(replace(result, pictures=tuple(pictures)))})

    write_directory(folder, fill, overwrite=overwrite, mark=METRICS)
    return replace(result, pictures=tuple(pictures))
