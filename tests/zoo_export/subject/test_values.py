"""Inputs beyond the usual values meet what clips them."""

from __future__ import annotations

import numpy as np

from zoo.api.task import Case, Port, Signature
from zoo.bundle.judge.evidence import VALUES
from zoo_export.subject.values import CHANGES, values_beyond

PICTURES = Signature(
    inputs=(Port(name="input", dtype="float32", shape=("batch", 4)),),
    outputs=(Port(name="logits", dtype="float32", shape=("batch", 2)),),
)
TOKENS = Signature(
    inputs=(Port(name="tokens", dtype="int64", shape=("batch", "length")),),
    outputs=(Port(name="logits", dtype="float32", shape=("batch", 2)),),
)


def case(values: list[float], *, gates: bool = True) -> Case:
    return Case(name="usual", kind="uniform", inputs={"input": np.array([values], np.float32)}, gates=gates)


def test_the_first_gating_case_is_scaled_saturated_made_constant_one_hot_and_huge() -> None:
    cases = values_beyond([case([9.0, 9.0, 9.0, 9.0], gates=False), case([-1.0, 0.5, 2.0, 1.0])], PICTURES)
    assert [changed.name for changed in cases] == list(CHANGES)
    assert all(changed.kind == VALUES and changed.gates for changed in cases)
    assert [changed.inputs["input"].tolist() for changed in cases] == [
        [[-8.0, 4.0, 16.0, 8.0]],
        [[-4.0, -4.0, 8.0, 8.0]],
        [[8.0, 8.0, 8.0, 8.0]],
        [[0.0, 0.0, 16.0, 0.0]],
        [[-1_048_576.0, 524_288.0, 2_097_152.0, 1_048_576.0]],
    ]


def test_zeros_are_changed_too() -> None:
    cases = values_beyond([case([0.0, 0.0, 0.0, 0.0])], PICTURES)
    assert [float(changed.inputs["input"].max()) for changed in cases] == [0.0, 0.0, 4.0, 8.0, 0.0]


def test_whole_numbers_are_left_to_their_range() -> None:
    tokens = Case(name="usual", kind="text", inputs={"tokens": np.array([[1, 2]], np.int64)})
    assert values_beyond([tokens], TOKENS) == ()
