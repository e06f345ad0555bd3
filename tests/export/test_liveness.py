"""Does an output respond: among answers of one shape, or by answers of several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from zoo.judge.evidence import LiveOutput
from zoo.task import Port, Signature
from zoo_export.compare import liveness
from zoo_export.reference import Answer

BOXES = Port(name="boxes", dtype="float32", shape=("n",))
SIGNATURE = Signature(inputs=(), outputs=(BOXES,))


def live(*answers: Sequence[float]) -> LiveOutput:
    """What is said of some answers that the file gives exactly."""
    arrays = [{"boxes": np.array(one, np.float64)} for one in answers]
    known = [Answer(reference=one, single=one, noise={}) for one in arrays]
    [found] = liveness(SIGNATURE, known, arrays)
    return found


def test_one_picture_twice_among_others_does_not_make_a_detector_dead() -> None:
    found = live((1.0, 2.0), (), (1.0, 2.0), (1.0, 2.0, 3.0), (5.0, 2.0, 3.0), ())
    assert found.inputs == 2
    assert found.spread == pytest.approx(np.sqrt(4 / 3))


def test_an_output_that_never_moves_is_dead_in_every_shape() -> None:
    assert live((1.0, 1.0), (1.0, 1.0), (1.0,), (1.0,), (1.0,)).spread == 0.0


def test_answers_of_different_lengths_differ_and_no_answers_say_nothing() -> None:
    assert live((1.0,), (1.0, 2.0)).spread == 1.0
    assert live((), ()).spread is None
