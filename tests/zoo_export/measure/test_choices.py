"""Answers that choose for every place: compared away from ties, and no batch along the rows of a picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zoo.api.task import MARGIN, Port, Signature
from zoo.bundle.judge.evidence import Magnitude
from zoo.bundle.judge.parity_rule import Status, judge_output
from zoo.bundle.runtime.bundled_self_test import difference
from zoo_export.measure.outputs import compare_output
from zoo_export.reference.oracle import ReferenceOutputs
from zoo_export.subject.batching import batch_name

IMAGE = Port(name="image", dtype="uint8", shape=("height", "width", 3))
CLASSES = Port(name="classes", dtype="uint8", shape=("height", "width"))
SIGNATURE = Signature(inputs=(IMAGE,), outputs=(CLASSES,))
MAP = np.arange(100, dtype=np.uint8).reshape(10, 10) % 3
MARGINS = np.full((10, 10), 1.0)
MARGINS[0, :4] = 9e-3
ANSWER = ReferenceOutputs(
    reference={"classes": MAP, MARGIN: MARGINS},
    single={"classes": MAP, MARGIN: MARGINS.astype(np.float32)},
    noise={MARGIN: Magnitude(rms=1e-4, max=1e-3)},
)


@pytest.mark.parametrize(
    ("place", "differing", "status"), [((0, 0), 0, Status.PASS), ((0, 4), 1, Status.FAIL), ((9, 9), 1, Status.FAIL)]
)
def test_a_pixel_may_change_where_it_is_a_tie(place: tuple[int, int], differing: int, status: Status) -> None:
    given = MAP.copy()
    given[place] += 1
    found = compare_output(CLASSES, {"classes": given}, ANSWER, SIGNATURE)
    assert (found.compare, found.elements, found.differing, found.far, found.undecided) == (
        "choice",
        100,
        differing,
        1,
        4,
    )
    assert found.torch == Magnitude(rms=1e-4, max=1e-3)
    assert judge_output(found).status == status


def test_an_answer_of_nothing_but_ties_decides_nothing() -> None:
    dead = replace(ANSWER, reference={"classes": MAP, MARGIN: np.zeros((10, 10))})
    assert judge_output(compare_output(CLASSES, {"classes": MAP}, dead, SIGNATURE)).status == Status.INCONCLUSIVE


def test_without_a_margin_whole_numbers_must_be_equal() -> None:
    plain = ReferenceOutputs(reference={"classes": MAP}, single={"classes": MAP}, noise={})
    assert compare_output(CLASSES, {"classes": MAP}, plain, SIGNATURE).compare == "equal"


def test_the_rows_of_a_picture_are_no_batch() -> None:
    assert batch_name(SIGNATURE) is None
    rows = Port(name="rows", dtype="float32", shape=("batch", 3))
    assert batch_name(Signature(inputs=(rows,), outputs=(rows,))) == "batch"


def test_another_device_may_decide_a_few_ties_otherwise() -> None:
    stored = np.zeros((100, 100), np.uint8)
    answer = stored.copy()
    answer[0, :10] = 7
    assert difference(answer, stored, {"compare": "choice"}) == ""
    assert difference(answer, stored, {"compare": "levels"}) != ""
    answer[0, :11] = 7
    assert difference(answer, stored, {"compare": "choice"}) == "is off by up to 7 (rms 0.232)"
