"""The precision that a model itself computes with, and its oracle in double precision."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.zoo_export.conftest import subject_of
from zoo.api.task import Port, Signature
from zoo.models.outputs import call
from zoo_export.proof.prove import prove
from zoo_export.reference.backends import Widened, backends_of

IMAGE = Port(name="image", dtype="float32", shape=("batch", 3, 12, 12))
SIGNATURE = Signature(inputs=(IMAGE,), outputs=(Port(name="logits", dtype="float32", shape=("batch", 4)),))
INPUT = {"image": np.random.default_rng(0).normal(size=(2, 3, 12, 12)).astype(np.float32)}


class Half(nn.Module):
    """Layers in another precision between casts by name: float32 [n, 3, 12, 12] -> [n, 4]."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(150, 4)).to(dtype)
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.layers(image.to(self.dtype))
        return logits.float()


class Autocast(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3 * 12 * 12, 4)

    def forward(self, image: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits: Tensor = self.head(image.flatten(1))
        return logits.float()


def half(dtype: torch.dtype = torch.float16) -> Half:
    torch.manual_seed(0)
    return Half(dtype).eval()


@pytest.mark.parametrize(
    ("module", "precision"),
    [(half(), "float16"), (half(torch.bfloat16), "bfloat16"), (Autocast().eval(), "bfloat16")],
    ids=["float16", "bfloat16", "autocast"],
)
def test_a_model_of_half_precision_has_an_oracle_in_double_precision(module: nn.Module, precision: str) -> None:
    backends = backends_of(module, SIGNATURE, INPUT)
    assert (backends.facts.kind, backends.facts.precision) == ("fp64", precision)
    assert isinstance(backends.double, Widened)
    double, single = backends.run_double(INPUT), call(module, INPUT, SIGNATURE)
    assert double is not None
    assert double["logits"].dtype == np.float64
    error = np.abs(double["logits"] - single["logits"]).max()
    assert 1e-5 < error < 5e-2
    exact = call(_in_single(module), INPUT, SIGNATURE)["logits"]
    assert np.abs(double["logits"] - exact).max() < error / 50


def _in_single(module: nn.Module) -> nn.Module:
    """The same parameters, computed in single precision."""
    if isinstance(module, Half):
        wide = half().float()
        wide.load_state_dict(module.state_dict())
        wide.dtype = torch.float32
        return wide
    assert isinstance(module, Autocast)
    return nn.Sequential(nn.Flatten(), module.head)


def test_a_model_of_single_precision_runs_in_plain_double_precision() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 12 * 12, 4)).eval()
    backends = backends_of(module, SIGNATURE, INPUT)
    assert (backends.facts.precision, isinstance(backends.double, Widened)) == ("float32", False)


TRIED = """
import sys, numpy, torch
from zoo.api.task import Port, Signature
from zoo_export.reference.backends import own_precision
signature = Signature(
    inputs=(Port(name="x", dtype="float32", shape=("n", 2)),),
    outputs=(Port(name="y", dtype="float32", shape=("n", 3)),),
)
print(own_precision(torch.nn.Linear(2, 3), signature, {"x": numpy.ones((1, 2), numpy.float32)}))
print([name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""


def test_finding_the_precision_does_not_load_torch_s_compiler() -> None:
    printed = subprocess.run([sys.executable, "-c", TRIED], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines() == ["float32", "[]"]


def test_a_model_that_makes_single_precision_on_the_way_has_an_oracle_all_the_same() -> None:
    class Table(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return image.flatten(1)[:, :4] @ torch.linspace(0, 1, 16, dtype=torch.float32).reshape(4, 4)

    facts = backends_of(Table().eval(), SIGNATURE, INPUT).facts
    assert (facts.kind, facts.precision, facts.reason) == ("fp64", "float32", "")


@pytest.mark.parametrize(("value", "precision"), [(1.0, "float16"), (-1.0, "float32")])
def test_the_branch_that_torch_cond_takes_is_looked_into(value: float, precision: str) -> None:
    class Branching(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            flat = image.flatten(1)[:, :4]
            logits: Tensor = torch.cond(
                flat[0, 0] > 0, lambda x: (x.half() * 2).float(), lambda x: x.float() + 1, (flat.contiguous(),)
            )
            return logits

    inputs = {"image": np.full((2, 3, 12, 12), value, np.float32)}
    facts = backends_of(Branching().eval(), SIGNATURE, inputs).facts
    assert (facts.kind, facts.precision) == ("fp64", precision)


def test_a_float16_model_is_proved_and_its_report_says_in_what_it_computes() -> None:
    proof = prove(subject_of(half()), opset=18)
    assert proof.verdict.publishes, proof.verdict.sentence
    assert proof.evidence.reference.precision == "float16"
    killed = {mutant.name for mutant in proof.evidence.mutants if mutant.killed_by}
    assert {"weight", "scale", "bias", "training"} <= killed
