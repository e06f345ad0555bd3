"""The oracle: double precision, the smallest noise of several backends, and what happens without them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from tests.zoo_export.conftest import tiny
from zoo.api.task import Port, Signature
from zoo_export.reference.oracle import Oracle, Runs, magnitude, settle
from zoo_export.subject.module_io import call

IMAGE = Port(name="image", dtype="float32", shape=("batch", 3, 12, 12))
SIGNATURE = Signature(inputs=(IMAGE,), outputs=(Port(name="logits", dtype="float32", shape=("batch", 4)),))
INPUTS = [{"image": np.random.default_rng(seed).normal(size=(1, 3, 12, 12)).astype(np.float32)} for seed in range(3)]


def test_the_reference_is_the_model_in_double_precision_each_input_once() -> None:
    module = tiny()
    oracle = Oracle(module, SIGNATURE, INPUTS[0])
    assert (oracle.facts.kind, oracle.facts.backends) == ("fp64", ("default", "no-onednn", "channels-last"))
    answers = [settle(one) for one in oracle.runs(INPUTS)]
    double = tiny().double()
    for inputs, answer in zip(INPUTS, answers, strict=True):
        expected = call(double, inputs, SIGNATURE, double=True)["logits"]
        assert answer.reference["logits"].dtype == np.float64
        np.testing.assert_allclose(answer.reference["logits"], expected, rtol=1e-12)
        assert 0 < (answer.noise["logits"].rms or 0) < 1e-6
    assert next(module.parameters()).dtype == torch.float32  # the user's own module is left alone


def test_the_noise_is_that_of_the_best_backend_and_integers_come_from_double_precision() -> None:
    right = {"y": np.array([1.0, 2.0]), "n": np.array([3.0])}
    single = {
        "default": {"y": np.array([1.5, 2.0], np.float32), "n": np.array([4])},
        "no-onednn": {"y": np.array([1.0, 2.25], np.float32), "n": np.array([3])},
    }
    answer = settle(Runs(right, single))
    assert answer.noise["y"].max == 0.25
    assert answer.noise["y"].rms == magnitude(np.array([0.0, 0.25])).rms
    assert answer.reference["n"].tolist() == [3]
    assert "n" not in answer.noise


class Literal(nn.Module):
    """Fails in double precision: a single-precision constant made in forward meets a matrix product."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x) @ torch.eye(4, dtype=torch.float32)
        return y


def test_without_double_precision_the_noise_is_the_spread_of_the_backends() -> None:
    ports = Signature(
        inputs=(Port(name="x", dtype="float32", shape=("batch", 4)),),
        outputs=(Port(name="y", dtype="float32", shape=("batch", 4)),),
    )
    inputs = {"x": np.ones((1, 4), np.float32)}
    oracle = Oracle(Literal().eval(), ports, inputs)
    assert oracle.facts.kind == "spread"
    assert "does not run in double precision" in oracle.facts.reason
    answer = settle(oracle.runs([inputs])[0])
    np.testing.assert_allclose(answer.reference["y"], answer.single["y"], rtol=1e-6)


class Narrow(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.float() * 2


def test_a_model_that_narrows_its_answer_has_no_double_precision() -> None:
    ports = Signature(
        inputs=(Port(name="x", dtype="float32", shape=("batch",)),),
        outputs=(Port(name="y", dtype="float32", shape=("batch",)),),
    )
    oracle = Oracle(Narrow(), ports, {"x": np.ones(2, np.float32)})
    assert oracle.facts.reason == "the model gives y in single precision even when run in double"


class Picky(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] != 4:
            raise ValueError("four columns, please")
        return x * 2


def test_an_input_that_pytorch_refuses_leaves_the_others_alone() -> None:
    ports = Signature(
        inputs=(Port(name="x", dtype="float32", shape=("batch", "width")),),
        outputs=(Port(name="y", dtype="float32", shape=("batch", "width")),),
    )
    inputs = [{"x": np.ones((1, width), np.float32)} for width in (4, 5, 4)]
    runs = Oracle(Picky(), ports, inputs[0]).runs(inputs)
    assert [run.error for run in runs] == ["", "ValueError: four columns, please", ""]
