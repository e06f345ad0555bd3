"""Answers compared item by item, and cards and cases made from samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from zoo.api.data import DataRequest, DataSource, Split
from zoo.api.errors import BadSample, DataError
from zoo.api.task import Case, Purpose
from zoo.data.agreement import (
    AGREEING,
    UNDECIDED,
    Verdict,
    class_verdict,
    item_agreement,
    level_verdict,
    numeric_agreement,
)
from zoo.data.card import make_card, split_named
from zoo.data.item_cases import EXTREME, item_cases

CASES = [Case(name=name, kind="realistic", inputs={}, origin=f"{name}.csv") for name in "abc"]


def values(*numbers: float) -> dict[str, Any]:
    return {"values": np.array(numbers)}


def test_verdicts_are_counted_and_the_worst_is_named_first() -> None:
    verdicts = {"a": Verdict("differing", 1.0, "one off"), "b": UNDECIDED, "c": Verdict("differing", 2.0, "two off")}
    found = item_agreement([{}] * 3, [{}] * 3, cases=CASES, compare=lambda _a, _b, case: verdicts[case.name])
    assert (found.items, found.agreeing, found.undecided, found.holds) == (3, 0, 1, False)
    assert found.disagreements == ("c.csv: two off", "a.csv: one off")


@pytest.mark.parametrize(
    ("candidate", "tolerance", "relative", "sentence"),
    [
        (values(1.0, 2.0), 0.0, 0.0, ""),
        (values(1.0, 2.1), 0.2, 0.0, ""),
        (values(1.0, 2.1), 0.0, 0.06, ""),
        (values(1.0, 2.5), 0.2, 0.0, "a.csv: values is off by up to 0.5 m"),
        (values(1.0, float("nan")), 9.0, 0.0, "a.csv: values is off by up to nan m"),
        (values(1.0), 9.0, 0.0, "a.csv: values is [1] instead of [2]"),
        ({}, 9.0, 0.0, "a.csv: values is missing instead of [2]"),
    ],
)
def test_numbers_agree_within_a_tolerance(
    candidate: dict[str, Any], tolerance: float, relative: float, sentence: str
) -> None:
    found = numeric_agreement(
        [values(1.0, 2.0)], [candidate], cases=CASES[:1], tolerance=tolerance, relative=relative, unit="m"
    )
    assert found.disagreements == ((sentence,) if sentence else ())
    assert found.holds == (not sentence)


def test_a_tolerance_may_depend_on_the_case() -> None:
    wide = {"a": 0.0, "b": 1.0, "c": 0.0}
    found = numeric_agreement([values(1)] * 3, [values(1.5)] * 3, cases=CASES, tolerance=lambda case: wide[case.name])
    assert found.agreeing == 1


def test_a_class_is_decided_outside_the_margin_alone() -> None:
    clear, near = {"p": np.array([[0.9, 0.1]])}, {"p": np.array([[0.505, 0.495]])}
    swapped = {"p": np.array([[0.1, 0.9]])}
    assert class_verdict(clear, clear, output="p", margin=0.02) == AGREEING
    assert class_verdict(near, swapped, output="p", margin=0.02) == UNDECIDED
    assert class_verdict(clear, swapped, output="p", margin=0.02).difference == (
        "class 0 (0.9000) became 1 (0.9000), with a margin of 0.8"
    )


def test_levels_may_be_one_apart() -> None:
    levels = {"image": np.full((20, 50), 7, np.uint8)}
    other = {"image": levels["image"].copy()}
    other["image"][0] = 8
    assert level_verdict(levels, other, output="image") == AGREEING
    other["image"][0, :2] = 9
    assert level_verdict(levels, other, output="image").difference.startswith("0.20% of the pixels")
    assert level_verdict(levels, {"image": levels["image"][1:]}, output="image").size == 1.0


@dataclass(frozen=True)
class Sample:
    name: str
    value: float = 0.0


def source(on_bad_sample: Any = "error") -> DataSource:
    return DataSource(request=DataRequest(source="here", on_bad_sample=on_bad_sample), format="mine")


def test_a_card_holds_out_by_name_and_knows_its_data() -> None:
    samples = [Sample(f"s{number}") for number in range(100)]
    card = make_card(source(), {"train": samples, "test": []})
    assert card.counts() == {
        "train": 100 - len(card.splits["validation"]),
        "validation": len(card.splits["validation"]),
    }
    assert 3 <= len(card.splits["validation"]) <= 20
    assert "held out for validation" in card.notes[0]
    assert make_card(source(), {"train": samples[::-1]}).fingerprint == card.fingerprint
    other = make_card(source(), {"train": [*samples[:99], Sample("s99", 1.0)]})
    assert other.fingerprint != card.fingerprint


def test_bad_samples_are_an_error_or_a_note() -> None:
    splits: dict[Split, list[Sample]] = {"train": [Sample(f"s{n}") for n in range(199)], "validation": [Sample("v")]}
    bad = [BadSample("line 3", "it is empty", "fill it")]
    with pytest.raises(DataError) as caught:
        make_card(source(), splits, bad=bad)
    assert caught.value.problems == tuple(bad)
    assert make_card(source("skip"), splits, bad=bad).notes == (
        "left out 1 bad samples (0.50%), the first: line 3: it is empty",
    )
    with pytest.raises(DataError, match="nothing to learn from"):
        make_card(source(), {"train": []}, accepted="give something")


def test_splits_have_their_usual_names() -> None:
    assert [split_named(name) for name in (None, "", "train", "val", "validation", "test")] == [
        "train",
        "train",
        "train",
        "validation",
        "validation",
        "test",
    ]
    with pytest.raises(ValueError, match="the split 'dev' is none of train, validation, val, test"):
        split_named("dev")


def cases(purpose: Purpose, card: Any) -> list[Case]:
    found = item_cases(
        card,
        purpose,
        limit=20,
        inputs=lambda sample: {"x": np.array([sample.value])},
        truth=lambda sample: 2 * sample.value,
        synthetic=lambda number: (EXTREME if number == 5 else "uniform", {"x": np.array([-float(number)])}),
        ready=lambda inputs: {"input": inputs["x"][None]},
    )
    return list(found)


def test_cases_are_the_datas_own_and_made_ones() -> None:
    card = make_card(source(), {"train": [Sample("t")], "validation": [Sample("v", 3.0)], "test": [Sample("e/1", 4.0)]})
    (item,) = cases(Purpose.EVALUATION, card)
    assert (item.name, item.truth, item.origin, item.inputs["x"].tolist()) == ("e-1", 8.0, "e/1", [4.0])
    assert item.item is not None and item.item.split == "test"
    pipeline = cases(Purpose.PIPELINE, card)
    assert [case.kind for case in pipeline] == ["realistic", *["uniform"] * 5, EXTREME]
    assert [case.gates for case in pipeline] == [True] * 6 + [False]
    assert [case.inputs["input"].shape for case in cases(Purpose.MODEL, card)] == [(1, 1)] * 7
    assert [case.origin for case in cases(Purpose.GOLDEN, card)] == ["synthetic", "synthetic", "e/1"]
    assert cases(Purpose.EVALUATION, None) == []
