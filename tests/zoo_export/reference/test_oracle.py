"""The oracle: double precision, the smallest noise of several backends, and what happens without them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from tests.zoo_export.conftest import tiny
from zoo.api.task import Port, Signature
from zoo.models.outputs import call
from zoo_export.reference.oracle import (
    BackendRuns,
    DoubleOutputs,
    ReferenceOutputs,
    magnitude,
    oracle_of,
    reference_outputs,
)
from zoo_export.subject.results import Failed

IMAGE = Port(name="image", dtype="float32", shape=("batch", 3, 12, 12))
SIGNATURE = Signature(inputs=(IMAGE,), outputs=(Port(name="logits", dtype="float32", shape=("batch", 4)),))


def reference(runs: BackendRuns | Failed) -> ReferenceOutputs:
    expected = reference_outputs(runs)
    assert not isinstance(expected, Failed)
    return expected


INPUTS = [{"image": np.random.default_rng(seed).normal(size=(1, 3, 12, 12)).astype(np.float32)} for seed in range(3)]


def test_the_reference_is_the_model_in_double_precision_each_input_once() -> None:
    module = tiny()
    oracle = oracle_of(module, SIGNATURE, INPUTS[0])
    assert (oracle.backends.facts.kind, oracle.backends.facts.backends) == (
        "fp64",
        ("default", "no-onednn", "channels-last"),
    )
    answers = [reference(runs) for runs in oracle.runs(INPUTS)]
    double = tiny().double()
    for inputs, answer in zip(INPUTS, answers, strict=True):
        expected = call(double, inputs, SIGNATURE, double=True)["logits"]
        assert answer.reference["logits"].dtype == np.float64
        np.testing.assert_allclose(answer.reference["logits"], expected, rtol=1e-12)
        assert 0 < (answer.noise["logits"].rms or 0) < 1e-6
    assert next(module.parameters()).dtype == torch.float32  # the user's own module is left alone


def test_the_noise_is_that_of_the_best_backend_and_integers_come_from_double_precision() -> None:
    double = {"y": np.array([1.0, 2.0]), "n": np.array([3.0])}
    single = {
        "default": {"y": np.array([1.5, 2.0], np.float32), "n": np.array([4])},
        "no-onednn": {"y": np.array([1.0, 2.25], np.float32), "n": np.array([3])},
    }
    answer = reference(BackendRuns(double=DoubleOutputs(outputs=double), single=single))
    assert answer.noise["y"].max == 0.25
    assert answer.noise["y"].rms == magnitude(np.array([0.0, 0.25])).rms
    assert answer.reference["n"].tolist() == [3]
    assert "n" not in answer.noise


class Literal(nn.Module):
    """Fails in double precision: it refuses every other precision itself."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x)
        if y.dtype != torch.float32:
            raise RuntimeError("expected float32")
        return y


def test_without_double_precision_the_noise_is_the_spread_of_the_backends() -> None:
    ports = Signature(
        inputs=(Port(name="x", dtype="float32", shape=("batch", 4)),),
        outputs=(Port(name="y", dtype="float32", shape=("batch", 4)),),
    )
    inputs = {"x": np.ones((1, 4), np.float32)}
    oracle = oracle_of(Literal().eval(), ports, inputs)
    assert oracle.backends.facts.kind == "spread"
    assert "does not run in double precision" in oracle.backends.facts.reason
    answer = reference(oracle.run(inputs))
    np.testing.assert_allclose(answer.reference["y"], answer.single["y"], rtol=1e-6)


class Narrow(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.from_numpy(2 * x.numpy().astype(np.float32))


def test_a_model_that_narrows_its_answer_has_no_double_precision() -> None:
    ports = Signature(
        inputs=(Port(name="x", dtype="float32", shape=("batch",)),),
        outputs=(Port(name="y", dtype="float32", shape=("batch",)),),
    )
    oracle = oracle_of(Narrow(), ports, {"x": np.ones(2, np.float32)})
    assert oracle.backends.facts.reason == "the model gives y in single precision even when run in double"


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
    oracle = oracle_of(Picky(), ports, inputs[0])
    runs = oracle.runs(inputs, double=oracle.run_double(inputs))
    assert runs[1] == Failed("ValueError: four columns, please")
    assert [isinstance(run, Failed) for run in runs] == [False, True, False]


def test_double_precision_that_ran_ahead_is_not_run_again() -> None:
    oracle = oracle_of(tiny(), SIGNATURE, INPUTS[0])
    ahead = oracle.run_double(INPUTS)
    assert list(ahead) == [(0, 1, 2)]
    marked = {indices: {name: value + 1 for name, value in outputs.items()} for indices, outputs in ahead.items()}
    plain, runs = oracle.runs(INPUTS), oracle.runs(INPUTS, double=marked)
    for before, after in zip(plain, runs, strict=True):
        assert np.array_equal(reference(after).reference["logits"], reference(before).reference["logits"] + 1)
