"""A range is compared with plain fp32 first; double precision decides only where that is not near enough."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zoo.api.task import Case, Port, Signature
from zoo.bundle.judge.evidence import RANGE, VALUES, Magnitude
from zoo.bundle.judge.parity_rule import FLOOR_BEYOND, WELL_CONDITIONED, usual_noise
from zoo_export.capture.capture import MODEL, GraphFile
from zoo_export.capture.stored_model import StoredModel
from zoo_export.measure.graph_run import NEAR, Declared, GraphRun, decides_about, undecided_ranges
from zoo_export.measure.outputs import compare_case
from zoo_export.reference.oracle import ReferenceOutputs
from zoo_export.subject.results import Failed, RuntimeResult

SIGNATURE = Signature(
    inputs=(Port(name="input", dtype="float32", shape=("batch", 2)),),
    outputs=(Port(name="logits", dtype="float32", shape=("batch", 2)),),
)
NOISE = 2.0**-9
"""Of both usual cases; fp32 has steps of 2^-13 at the scale."""
SCALE = 1_024.0


def run_of(error: float, *, kind: str = RANGE, batched: float | None = None, single: float = SCALE) -> GraphRun:
    """Two usual cases and one of a range, which the file answers with this error against plain fp32."""
    usual = ReferenceOutputs(
        reference={"logits": np.full((1, 2), SCALE)},
        single={"logits": np.full((1, 2), SCALE, np.float32)},
        noise={"logits": Magnitude(rms=NOISE, max=NOISE)},
    )
    alone = replace(
        usual,
        reference={"logits": np.full((1, 2), single)},
        single={"logits": np.full((1, 2), single, np.float32)},
        noise={"logits": Magnitude(rms=0.0, max=0.0)},
        has_noise=False,
    )
    right = {"logits": np.full((1, 2), SCALE, np.float32)}
    rows = () if batched is None else ((2, {"logits": np.full((1, 2), SCALE + batched, np.float32)}),)
    return GraphRun(
        file=GraphFile(
            name=MODEL,
            role="model",
            stored=StoredModel(b""),
            sha256="0" * 64,
            signature=SIGNATURE,
            cases=tuple(
                Case(name=name, kind=what, inputs={"input": np.zeros((1, 2), np.float32)})
                for name, what in (("first", "uniform"), ("second", "uniform"), ("third", kind))
            ),
            example={"input": (1, 2)},
            guard_violations=(),
        ),
        references=(usual, usual, alone),
        result=RuntimeResult(
            outputs=(right, right, {"logits": np.full((1, 2), SCALE + error, np.float32)}), by_batch={65: rows}
        ),
    )


@pytest.mark.parametrize(("times", "undecided"), [(0.0, []), (0.9, []), (1.1, [2]), (50.0, [2])])
def test_what_is_three_times_the_usual_noise_off_goes_to_double_precision(times: float, undecided: list[int]) -> None:
    assert undecided_ranges(run_of(times * NEAR * NOISE), Declared(opset=18)) == undecided


@pytest.mark.parametrize(("times", "undecided"), [(0.9, []), (1.1, [2])])
def test_other_values_are_measured_by_the_floor_that_they_have(times: float, undecided: list[int]) -> None:
    run = run_of(times * NEAR * FLOOR_BEYOND * SCALE, kind=VALUES)
    assert undecided_ranges(run, Declared(opset=18)) == undecided


@pytest.mark.parametrize(
    ("kind", "noise", "decides"),
    [(VALUES, 0.9, True), (VALUES, 1.1, False), (RANGE, 1.1, True)],
)
def test_beyond_the_usual_values_noise_of_a_hundred_thousandth_decides_nothing(
    kind: str, noise: float, decides: bool
) -> None:
    run = run_of(1.0, kind=kind)
    size = noise * WELL_CONDITIONED * SCALE
    third = run.references[2]
    assert isinstance(third, ReferenceOutputs)
    third = replace(third, noise={"logits": Magnitude(rms=size, max=size)}, has_noise=True)
    run = replace(run, references=(*run.references[:2], third))
    assert decides_about(run, 2, Declared(opset=18)) is decides
    failed = replace(run, result=RuntimeResult(outputs=(Failed("no"),) * 3))
    assert decides_about(failed, 2, Declared(opset=18))


def test_what_a_batch_gives_for_the_case_counts_as_well() -> None:
    assert undecided_ranges(run_of(0.0, batched=5 * NOISE), Declared(opset=18)) == [2]


def test_double_precision_is_not_asked_where_plain_fp32_has_no_answer() -> None:
    assert undecided_ranges(run_of(0.0, single=float("inf")), Declared(opset=18)) == []


def test_a_noise_that_nobody_measured_is_no_usual_noise() -> None:
    run = run_of(0.0)
    outputs = [
        output
        for case, actual, expected in zip(run.file.cases, run.result.outputs, run.references, strict=True)
        for output in compare_case(case, actual, expected, SIGNATURE).outputs
    ]
    assert [output.noise_measured for output in outputs] == [True, True, False]
    assert usual_noise(outputs) == Magnitude(rms=NOISE, max=NOISE)
