"""From the recorded epochs of a training to what went wrong: rules over plain numbers, torch-free.

A finding is about a training whose result should not be used as it is, so that the command that helps takes the place
of the export.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from zoo.api.specs import Monitor
from zoo.training.loop.ranking import EpochScore

Unit = Literal["items", "pixels"]
"""What has a class."""
ANSWERS: Final = "answers/most_common"
"""The column of metrics.csv with the share of validation items that got the most common answer."""
LABELS: Final = "labels/most_common"
"""The column with the share of validation items that are of the most common class."""
COLUMNS: Final[Mapping[Unit, tuple[str, str]]] = {
    "items": (ANSWERS, LABELS),
    "pixels": ("answers/most_common_pixels", "labels/most_common_pixels"),
}
"""Both columns where items have classes, and where their pixels have."""
ONE_ANSWER: Final = 0.95
"""From this share on nearly every item gets one answer."""
MIN_EXCESS: Final = 0.1
"""The share by which an answer must exceed guessing to count as knowledge, and one answer the class it names."""
MIN_RATIO: Final = 5.0
"""Where the most common class is rarer, an answer that is right so many times as often is knowledge as well."""
MIN_SWALLOWED: Final[Mapping[Unit, float]] = {"items": 0.05, "pixels": 0.005}
"""From this share of all on, the other classes must be answered now and then; pixels are many."""
SWALLOWED: Final = 0.98
"""From this share of what is of other classes on, they are hardly ever answered."""
BY_HEART: Final = 0.1
"""A training loss below this share of the first epoch's belongs to a model that knows its training data by heart."""
CHANCE: Final = 0.95
"""A loss above this share of that of guessing is no better than guessing."""
FELL: Final = 0.75
"""A training loss below this share of the first epoch's has fallen."""
STILL: Final = 0.02
"""A relative change below this is none."""
MIN_EPOCHS: Final = 2
"""Before that nothing but what was not measured can be told."""

Kind = Literal["not-measured", "one-answer", "contradiction", "stuck", "no-better"]
Remedy = Literal["data", "labels", "longer", "rate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One epoch as metrics.csv has it; None for what was not measured."""

    train_loss: float
    validation_loss: float | None = None
    score: float | None = None
    """The metric that chooses the best epoch."""
    answers: float | None = None
    """The share of validation items, or of their pixels, that got the most common answer."""
    labels: float | None = None
    """The share of those that are of the most common class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All epochs of a training, and what their numbers mean."""

    monitor: Monitor
    classes: int = 0
    """How many classes an item can have; 0 where an answer is no class."""
    unit: Unit = "items"
    """What has a class, where anything has."""
    epochs: Sequence[Epoch] = ()

    @property
    def best(self) -> Epoch:
        """The epoch that the metric chooses, of equal ones by the loss; the last where none was measured."""
        best, best_score = self.epochs[-1], None
        for epoch in self.epochs:
            if epoch.score is None:
                continue
            score = EpochScore(value=epoch.score, loss=epoch.validation_loss)
            if best_score is None or score.is_better(best_score, self.monitor):
                best, best_score = epoch, score
        return best


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What went wrong, and what kind of remedy helps."""

    kind: Kind
    message: str
    remedy: Remedy
    """data: other validation data; labels: a look at them; longer: more epochs, or published weights; rate: another
    learning rate."""


def read_history(rows: Sequence[Mapping[str, float]], monitor: Monitor, *, classes: int) -> History:
    """The history in the rows of metrics.csv; `classes` is how many the problem has."""
    columns = rows[-1] if rows else {}
    unit: Unit = "pixels" if COLUMNS["pixels"][0] in columns else "items"
    answers, labels = COLUMNS[unit]
    epochs = [
        Epoch(
            train_loss=row["train/loss"],
            validation_loss=_measured(row, "validation/loss"),
            score=_measured(row, f"validation/{monitor.metric}"),
            answers=_measured(row, answers),
            labels=_measured(row, labels),
        )
        for row in rows
    ]
    of_items = classes if ANSWERS in columns else 0
    return History(monitor=monitor, classes=of_items, unit=unit, epochs=tuple(epochs))


def _measured(row: Mapping[str, float], name: str) -> float | None:
    value = row.get(name, math.nan)
    return None if math.isnan(value) else value


def diagnose(history: History) -> tuple[Finding, ...]:
    """What went wrong, the gravest first; empty where nothing did, or where it cannot be told yet."""
    if not history.epochs:
        return ()
    if finding := _not_measured(history):
        return (finding,)
    if len(history.epochs) < MIN_EPOCHS:
        return ()
    findings = (_stuck(history) or _contradiction(history) or _no_better(history), _one_answer(history))
    return tuple(finding for finding in findings if finding)


def _not_measured(history: History) -> Finding | None:
    if any(epoch.score is not None for epoch in history.epochs):
        return None
    return Finding(
        kind="not-measured",
        message=f"{history.monitor.metric} could not be measured on the validation data in any epoch, so no epoch is "
        "the best and the last one counts",
        remedy="data",
    )


def _one_answer(history: History) -> Finding | None:
    best = history.best
    if best.answers is None or best.labels is None:
        return None
    excess = best.answers - best.labels
    swallowed = excess >= MIN_SWALLOWED[history.unit] and excess >= SWALLOWED * (1 - best.labels)
    if best.answers < ONE_ANSWER or not (swallowed or excess >= MIN_EXCESS):
        return None
    what = "validation items" if history.unit == "items" else "pixels of the validation items"
    return Finding(
        kind="one-answer",
        message=f"{best.answers:.0%} of the {what} get one and the same answer, and only {best.labels:.0%} "
        "are of the most common class",
        remedy="longer",
    )


def _contradiction(history: History) -> Finding | None:
    """The training loss falls while validation is no better than guessing."""
    first, last = history.epochs[0].train_loss, history.epochs[-1].train_loss
    before = min(first, math.log(history.classes)) if history.classes >= 2 else first
    guesses = _guesses(history)
    if not guesses or last >= FELL * before:
        return None
    return Finding(
        kind="contradiction",
        message=f"the training loss fell from {first:.3g} to {last:.3g}, but {guesses}",
        remedy="labels" if last < BY_HEART * before else "longer",
    )


def _no_better(history: History) -> Finding | None:
    """Validation is no better than guessing, and the training loss has hardly fallen."""
    guesses = _guesses(history)
    return Finding(kind="no-better", message=guesses, remedy="longer") if guesses else None


def _guesses(history: History) -> str:
    """How validation says that nothing was learnt, as a clause; empty where it does not say so."""
    best, metric, chance = history.best, history.monitor.metric, history.monitor.chance
    if history.monitor.mode == "max" and best.score == 0:
        return f"{metric} is 0 in every epoch"
    if chance is not None and best.score is not None and _as_bad(best.score, chance, history.monitor):
        return f"{metric} is {best.score:.3g} at its best epoch, no better than chance"
    losses = [epoch.validation_loss for epoch in history.epochs if epoch.validation_loss is not None]
    if not losses or best.validation_loss is None or history.classes < 2 or _knows(best):
        return ""
    guessing = math.log(history.classes)
    if min(losses) < CHANCE * guessing:
        return ""
    loss = f"the validation loss is {best.validation_loss:.3g} at its best epoch"
    return f"{loss}, no better than guessing ({guessing:.3g})"


def _as_bad(score: float, chance: float, monitor: Monitor) -> bool:
    return score <= chance if monitor.mode == "max" else score >= chance


def _stuck(history: History) -> Finding | None:
    """Neither the loss nor the score moves."""
    first, best = history.epochs[0], history.best
    lowest = min(epoch.train_loss for epoch in history.epochs)
    still = first.train_loss - lowest <= STILL * abs(first.train_loss)
    if not still or best.validation_loss is None or _knows(best):
        return None
    if history.classes >= 2 and best.validation_loss < CHANCE * math.log(history.classes):
        return None
    if history.classes < 2 and _moved(first.score, best.score):
        return None
    message = f"the training loss did not move: {first.train_loss:.3g} in the first epoch, at the lowest {lowest:.3g}"
    return Finding(kind="stuck", message=message, remedy="rate")


def _knows(epoch: Epoch) -> bool:
    """Whether the score is a share of right answers that no guessing reaches, however sure the answers are."""
    if epoch.score is None or epoch.labels is None:
        return False
    return epoch.labels + min(MIN_EXCESS, (MIN_RATIO - 1) * epoch.labels) < epoch.score <= 1


def _moved(first: float | None, best: float | None) -> bool:
    return first is None or best is None or abs(best - first) > STILL * abs(first)
