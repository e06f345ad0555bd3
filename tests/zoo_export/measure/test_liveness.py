"""Does an output respond: among answers of one shape, or by answers of several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import pytest

from zoo.api.task import Case, Port, Signature
from zoo.bundle.judge.evidence import LiveOutput, Magnitude
from zoo_export.capture.capture import GraphFile
from zoo_export.capture.stored_model import StoredModel
from zoo_export.measure.graph import measure_graph
from zoo_export.measure.graph_run import Declared, GraphRun
from zoo_export.measure.outputs import liveness
from zoo_export.reference.oracle import ReferenceOutputs
from zoo_export.subject.results import RuntimeResult

BOXES = Port(name="boxes", dtype="float32", shape=("n",))
SIGNATURE = Signature(inputs=(), outputs=(BOXES,))


def live(*answers: Sequence[float]) -> LiveOutput:
    """What is said of some answers that the file gives exactly."""
    arrays = [{"boxes": np.array(one, np.float64)} for one in answers]
    known = [ReferenceOutputs(reference=one, single=one, noise={}) for one in arrays]
    [found] = liveness(SIGNATURE, known, arrays)
    return found


def test_what_one_picture_with_a_tie_makes_is_no_noise_of_another() -> None:
    answers = [{"boxes": np.array(one)} for one in ((1.0, 2.0), (5.0, 7.0))]
    noises = [Magnitude(rms=1.3, max=2.0), Magnitude(rms=1e-7, max=2e-7)]
    known = [
        ReferenceOutputs(reference=one, single=one, noise={"boxes": noise})
        for one, noise in zip(answers, noises, strict=True)
    ]
    [found] = liveness(SIGNATURE, known, answers)
    assert found.noise == pytest.approx(4e-7)


def test_an_input_that_pytorch_itself_cannot_answer_is_no_noise_of_the_others() -> None:
    logits = Port(name="logits", dtype="float32", shape=("batch", 2))
    signature = Signature(inputs=(Port(name="x", dtype="float32", shape=("batch", 2)),), outputs=(logits,))
    answers = [{"logits": np.array([row])} for row in ((1.0, 2.0), (3.0, 2.0), (40.0, 2.0))]
    noises = [Magnitude(rms=size, max=size) for size in (1e-7, 1e-7, 0.5)]
    known = [
        ReferenceOutputs(reference=answer, single=answer, noise={"logits": noise})
        for answer, noise in zip(answers, noises, strict=True)
    ]
    [output] = liveness(signature, known, answers)
    assert output.inputs == 2
    assert output.noise == pytest.approx(1e-7)
    [of_two] = liveness(signature, known[1:], answers[1:])
    assert of_two.inputs == 2
    assert of_two.noise == pytest.approx(0.5 / 2**0.5)


def test_the_same_input_twice_moves_nothing() -> None:
    """Pictures with one box, with one box again, and with two: only the two that differ say something."""
    values = ((1.0,), (1.0,), (1.0, 2.0))
    signature = Signature(inputs=(Port(name="x", dtype="float32", shape=(1, 2)),), outputs=(BOXES,))
    cases = [
        Case(name=str(place), kind="realistic", inputs={"x": np.full((1, 2), len(one), np.float32)})
        for place, one in enumerate(values)
    ]
    arrays = [{"boxes": np.array(one)} for one in values]
    file = GraphFile(
        name="model.onnx",
        role="model",
        stored=StoredModel.of(onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], []))),
        sha256="0" * 64,
        signature=signature,
        cases=tuple(cases),
        example={"x": (1, 2)},
        guard_violations=(),
    )
    references = tuple(ReferenceOutputs(reference=one, single=one, noise={}) for one in arrays)
    run = GraphRun(file=file, references=references, result=RuntimeResult(outputs=tuple(arrays)))
    graph = measure_graph(run, declared=Declared(opset=18))
    assert graph.liveness == (LiveOutput(name="boxes", inputs=2, spread=1.0, noise=0.0, onnx_spread=1.0),)


def test_one_picture_twice_among_others_does_not_make_a_detector_dead() -> None:
    found = live((1.0, 2.0), (), (1.0, 2.0), (1.0, 2.0, 3.0), (5.0, 2.0, 3.0), ())
    assert found.inputs == 2
    assert found.spread == pytest.approx(np.sqrt(4 / 3))


def test_an_output_that_never_moves_is_dead_in_every_shape() -> None:
    assert live((1.0, 1.0), (1.0, 1.0), (1.0,), (1.0,), (1.0,)).spread == 0.0


def test_answers_of_different_lengths_differ_and_no_answers_say_nothing() -> None:
    assert live((1.0,), (1.0, 2.0)).spread == 1.0
    assert live((), ()).spread is None
