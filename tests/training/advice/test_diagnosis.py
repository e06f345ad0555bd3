"""What a made history says: each rule fires on its case, and stays silent on its sound neighbour."""

from __future__ import annotations

from dataclasses import replace
from math import log

import pytest

from zoo.api.specs import Monitor
from zoo.training.advice.diagnosis import ANSWERS, COLUMNS, LABELS, Epoch, History, diagnose, read_history

TOP1 = Monitor(metric="top1", mode="max")
MAE = Monitor(metric="mae", mode="min")


def classes(*epochs: tuple[float, float, float], answers: float = 0.3, labels: float = 0.2, count: int = 6) -> History:
    """A classifier's history from (train loss, validation loss, top1)."""
    rows = [Epoch(train_loss=a, validation_loss=b, score=c, answers=answers, labels=labels) for a, b, c in epochs]
    return History(monitor=TOP1, classes=count, epochs=tuple(rows))


def kinds(history: History) -> list[str]:
    return [finding.kind for finding in diagnose(history)]


SOUND = classes((1.7, 1.6, 0.3), (0.9, 0.8, 0.7), (0.4, 0.6, 0.85))


def test_a_sound_training_has_no_finding() -> None:
    assert diagnose(SOUND) == diagnose(History(monitor=TOP1)) == ()


def test_validation_that_is_no_better_than_guessing_contradicts_a_falling_loss() -> None:
    photos = classes((1.73, 1.80, 0.125), (1.1, 1.85, 0.1), (0.54, 1.9, 0.083))
    (finding,) = diagnose(photos)
    assert (finding.kind, finding.remedy) == ("contradiction", "longer")
    assert finding.message == (
        "the training loss fell from 1.73 to 0.54, but the validation loss is 1.8 at its best epoch, "
        "no better than guessing (1.79)"
    )


def test_a_metric_of_zero_contradicts_a_falling_loss_as_well() -> None:
    rows = [Epoch(train_loss=loss, validation_loss=3.0, score=0.0) for loss in (4.0, 1.0)]
    (finding,) = diagnose(History(monitor=Monitor(metric="map", mode="max"), epochs=rows))
    assert finding.message == "the training loss fell from 4 to 1, but map is 0 in every epoch"
    (slow,) = diagnose(History(monitor=Monitor(metric="map", mode="max"), epochs=[rows[0], rows[0], rows[0]]))
    assert (slow.kind, slow.message) == (
        "stuck",
        "the training loss did not move: 4 in the first epoch, at the lowest 4",
    )
    rows = [Epoch(train_loss=loss, validation_loss=3.0, score=0.0) for loss in (4.0, 3.5)]
    (hardly,) = diagnose(History(monitor=Monitor(metric="map", mode="max"), epochs=rows))
    assert (hardly.kind, hardly.message) == ("no-better", "map is 0 in every epoch")


@pytest.mark.parametrize(
    ("monitor", "score", "message"),
    [
        (Monitor(metric="map", mode="max", chance=0.02), 0.0168, "map is 0.0168 at its best epoch"),
        (Monitor(metric="roc_auc", mode="max", chance=0.5), 0.48, "roc_auc is 0.48 at its best epoch"),
        (Monitor(metric="distance", mode="min", chance=2.0), 2.5, "distance is 2.5 at its best epoch"),
        (Monitor(metric="map", mode="max", chance=0.02), 0.03, ""),
        (Monitor(metric="distance", mode="min", chance=2.0), 1.5, ""),
    ],
)
def test_a_score_that_chance_reaches_is_said(monitor: Monitor, score: float, message: str) -> None:
    rows = [Epoch(train_loss=loss, validation_loss=3.0, score=score) for loss in (4.0, 1.0)]
    findings = diagnose(History(monitor=monitor, epochs=rows))
    assert [finding.message for finding in findings] == (
        [f"the training loss fell from 4 to 1, but {message}, no better than chance"] if message else []
    )


def test_a_loss_that_falls_a_little_without_any_use_is_said() -> None:
    (finding,) = diagnose(classes((1.9, 1.85, 0.17), (1.8, 1.82, 0.17), (1.78, 1.81, 0.17)))
    assert (finding.kind, finding.remedy) == ("no-better", "longer")
    assert finding.message == "the validation loss is 1.81 at its best epoch, no better than guessing (1.79)"


def test_training_data_known_by_heart_make_one_look_at_the_labels() -> None:
    (finding,) = diagnose(classes((1.73, 1.80, 0.125), (0.05, 4.0, 0.2)))
    assert (finding.kind, finding.remedy) == ("contradiction", "labels")


def test_with_many_classes_less_is_knowledge() -> None:
    guess = log(1000)
    rows = [(guess, guess, 0.002), (guess * 0.7, guess, 0.02)]
    assert kinds(classes(*rows, answers=0.1, labels=0.002, count=1000)) == []
    assert kinds(classes(*rows, answers=0.1, labels=0.005, count=1000)) == ["contradiction"]


def test_unsure_answers_that_are_right_are_no_contradiction() -> None:
    assert kinds(classes((1.7, 1.8, 0.2), (0.5, 1.9, 0.6))) == []


def test_one_answer_for_all_is_named_unless_all_are_of_one_class() -> None:
    history = classes((1.7, 1.75, 0.17), (1.5, 1.7, 0.17), answers=1.0, labels=0.17)
    (finding,) = diagnose(history)
    assert finding.message == (
        "100% of the validation items get one and the same answer, and only 17% are of the most common class"
    )
    assert kinds(replace(history, epochs=tuple(replace(epoch, labels=0.97) for epoch in history.epochs))) == []
    swallowed = tuple(replace(epoch, labels=0.92, score=0.92, validation_loss=0.3) for epoch in history.epochs)
    assert kinds(replace(history, epochs=swallowed)) == ["one-answer"]
    pixels = tuple(replace(epoch, labels=0.902, answers=0.9999) for epoch in swallowed)
    assert kinds(replace(history, epochs=pixels, classes=0, unit="pixels")) == ["one-answer"]
    small = tuple(replace(epoch, labels=0.97, answers=0.9999) for epoch in swallowed)
    assert kinds(replace(history, epochs=small, classes=0, unit="pixels")) == ["one-answer"]
    assert kinds(replace(history, epochs=small)) == []
    found = tuple(replace(epoch, labels=0.97, answers=0.985) for epoch in swallowed)
    assert kinds(replace(history, epochs=found, classes=0, unit="pixels")) == []
    nearly = tuple(replace(epoch, answers=0.99) for epoch in swallowed)
    assert kinds(replace(history, epochs=nearly)) == []


def test_a_loss_that_does_not_move_is_stuck_unless_it_began_where_it_should_end() -> None:
    guess = log(6)
    assert kinds(classes((guess, guess, 0.17), (guess, guess, 0.17), (guess * 0.99, guess, 0.17))) == ["stuck"]
    assert kinds(classes((0.05, 0.06, 0.98), (0.05, 0.06, 0.98))) == []
    still = [Epoch(train_loss=2.0, validation_loss=2.0, score=score) for score in (1.5, 1.495)]
    assert kinds(History(monitor=MAE, epochs=still)) == ["stuck"]
    assert kinds(History(monitor=MAE, epochs=[still[0], replace(still[1], score=1.2)])) == []
    assert kinds(History(monitor=MAE, epochs=[replace(epoch, validation_loss=None) for epoch in still])) == []


def test_a_metric_that_was_never_measured_is_said_after_one_epoch() -> None:
    (finding,) = diagnose(History(monitor=TOP1, epochs=[Epoch(train_loss=1.0)]))
    assert (finding.kind, finding.remedy) == ("not-measured", "data")
    assert finding.message.startswith("top1 could not be measured on the validation data in any epoch")
    assert kinds(History(monitor=TOP1, epochs=[Epoch(train_loss=1.0), Epoch(train_loss=0.9, score=0.5)])) == []


def test_one_epoch_tells_nothing_else() -> None:
    assert kinds(classes((1.79, 1.79, 0.1), answers=1.0)) == []


@pytest.mark.parametrize(("metric", "score"), [(0.5, 0.5), (float("nan"), None)])
def test_the_history_is_read_from_the_rows_of_the_table(metric: float, score: float | None) -> None:
    row = {"epoch": 1, "train/loss": 2.0, "validation/top1": metric, ANSWERS: 0.9, LABELS: 0.4}
    history = read_history([row], TOP1, classes=3)
    assert history == History(
        monitor=TOP1, classes=3, epochs=(Epoch(train_loss=2.0, score=score, answers=0.9, labels=0.4),)
    )


def test_pixels_have_columns_of_their_own() -> None:
    answers, labels = COLUMNS["pixels"]
    row = {"epoch": 1, "train/loss": 2.0, "validation/loss": 0.3, "validation/miou": 0.45, answers: 1.0, labels: 0.9}
    history = read_history([row, row], Monitor(metric="miou", mode="max"), classes=2)
    assert (history.unit, history.classes) == ("pixels", 0)
    assert [finding.message for finding in diagnose(history) if finding.kind == "one-answer"] == [
        "100% of the pixels of the validation items get one and the same answer, and only 90% are of the most common "
        "class"
    ]
