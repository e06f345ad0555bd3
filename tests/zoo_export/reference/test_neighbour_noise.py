"""The noise beside an input at which PyTorch is exact by chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from torch import Tensor, nn

from zoo.api.task import Port, Signature
from zoo_export.reference.neighbour_noise import FACTORS, with_input_rounding, with_neighbour_noise
from zoo_export.reference.oracle import Oracle, ReferenceOutputs, magnitude, oracle_of, reference_outputs
from zoo_export.subject.results import Failed, Outputs

PORT = Port(name="x", dtype="float32", shape=("batch", 64))
SIGNATURE = Signature(inputs=(PORT,), outputs=(Port(name="y", dtype="float32", shape=("batch", 64)),))
ONES: Outputs = {"x": np.ones((1, 64), np.float32)}


class Cube(nn.Module):
    """x ** 3, which is exact where x is one."""

    def forward(self, x: Tensor) -> Tensor:
        """The cube."""
        return x * x * x


def world(inputs: Outputs) -> tuple[Oracle, ReferenceOutputs]:
    oracle = oracle_of(Cube(), SIGNATURE, inputs)
    expected = reference_outputs(oracle.run(inputs))
    assert not isinstance(expected, Failed)
    return oracle, expected


def test_an_exact_case_has_the_relative_noise_of_the_cases_beside_it() -> None:
    oracle, expected = world(ONES)
    assert expected.noise["y"].max == 0.0
    noise = with_neighbour_noise(oracle, ONES, expected).noise["y"]
    beside = [np.float32(factor) for factor in FACTORS]
    errors = [abs(float(x * x * x) / float(x) ** 3 - 1) for x in beside]
    assert noise.max == pytest.approx(max(errors), rel=1e-6)
    assert 2.0**-25 < max(errors) < 2.0**-22


def test_larger_noise_of_the_case_itself_stays() -> None:
    oracle, expected = world(ONES)
    known = replace(expected, noise={"y": magnitude(np.array([0.5]))})
    assert with_neighbour_noise(oracle, ONES, known).noise == known.noise


def test_whole_numbers_have_no_neighbours() -> None:
    oracle, expected = world(ONES)
    tokens: Outputs = {"x": np.ones((1, 64), np.int64)}
    assert with_neighbour_noise(oracle, tokens, expected) is expected


def test_an_input_that_a_preprocess_may_round_otherwise_moves_the_outputs() -> None:
    oracle, expected = world(ONES)
    noise = with_input_rounding(oracle, ONES, expected).noise["y"]
    assert noise.max == noise.rms == pytest.approx((1 + 2.0**-23) ** 3 - 1, rel=1e-6)
    known = replace(expected, noise={"y": magnitude(np.array([0.5]))})
    assert with_input_rounding(oracle, ONES, known).noise == known.noise
    tokens: Outputs = {"x": np.ones((1, 64), np.int64)}
    assert with_input_rounding(oracle, tokens, expected) is expected
