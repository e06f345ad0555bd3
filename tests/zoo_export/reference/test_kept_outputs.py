"""Outputs are computed once for all processes; what is wrong among them is noticed, and never decides anything."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zoo.api.task import Port, Signature
from zoo.models.outputs import call
from zoo.runs.kept_files import entries, nothing_kept
from zoo_export.reference import kept_outputs as kept_module
from zoo_export.reference.kept_outputs import KeptOutputs, kept_outputs
from zoo_export.subject.results import Outputs

SIGNATURE = Signature(
    inputs=(Port(name="x", dtype="float32", shape=("n", 2)),),
    outputs=(Port(name="y", dtype="float32", shape=("n", 3)),),
)
WIDE = Signature(inputs=SIGNATURE.inputs, outputs=(Port(name="y", dtype="float32", shape=(1, 3)),))
INPUTS: tuple[Outputs, ...] = tuple({"x": np.full((1, 2), value, np.float32)} for value in (0.0, 1.0, 2.0))


class Net(nn.Module):
    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.layer = nn.Linear(2, 3)
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x)
        return y


class Counted:
    """A module's outputs through what is kept, with the inputs that were really computed."""

    def __init__(self, module: nn.Module, kept: KeptOutputs) -> None:
        self.module, self.kept = module, kept
        self.computed: list[float] = []

    def __call__(self, inputs: Outputs) -> Outputs:
        def compute() -> Outputs:
            self.computed.append(float(inputs["x"][0, 0]))
            return call(self.module, inputs, SIGNATURE)

        return self.kept.get("default", inputs, compute)


def counted(seed: int = 0) -> Counted:
    module = Net(seed)
    return Counted(module, kept_outputs(module, SIGNATURE))


@pytest.fixture
def never(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chance chooses no output to be computed anew."""
    monkeypatch.setattr(kept_module, "randbelow", lambda _: 1)


def first_proof(seed: int = 0) -> list[Outputs]:
    first = counted(seed)
    outputs = [first(inputs) for inputs in INPUTS]
    assert first.computed == [0.0, 1.0, 2.0]
    first.kept.save()
    return outputs


@pytest.mark.usefixtures("never")
def test_a_second_proof_computes_the_first_output_only() -> None:
    outputs = first_proof()
    second = counted()
    assert [second(inputs)["y"].tobytes() for inputs in INPUTS] == [values["y"].tobytes() for values in outputs]
    assert second.computed == [0.0]
    assert not second.kept.is_wrong


def test_some_outputs_are_computed_anew_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    first_proof()
    numbers = iter([0, 7])
    monkeypatch.setattr(kept_module, "randbelow", lambda _: next(numbers))
    second = counted()
    for inputs in INPUTS:
        second(inputs)
    assert second.computed == [0.0, 1.0]


@pytest.mark.usefixtures("never")
@pytest.mark.parametrize("other", [lambda: counted(1), lambda: Counted(Net(), kept_outputs(Net(), WIDE))])
def test_another_module_or_signature_is_computed_anew(other: Callable[[], Counted]) -> None:
    first_proof()
    second = other()
    for inputs in INPUTS:
        second(inputs)
    assert second.computed == [0.0, 1.0, 2.0]


def test_inputs_of_other_bytes_shapes_or_names_are_other_inputs() -> None:
    digests = {
        kept_module._digest(inputs)
        for inputs in (
            {"x": np.zeros((1, 2), np.float32)},
            {"x": np.zeros((2, 1), np.float32)},
            {"y": np.zeros((1, 2), np.float32)},
            {"x": np.zeros((1, 2), np.int32)},
            {"x": np.array([[0.0, -0.0]], np.float32)},
            {"x": np.zeros((0, 2), np.float32)},
        )
    }
    assert len(digests) == 6


@pytest.mark.usefixtures("never")
def test_a_module_that_gives_another_output_now_makes_all_of_them_wrong() -> None:
    first_proof()
    second = counted()
    second.module = Net(1)  # as one does that depends on something that no key names
    second(INPUTS[0])
    assert second.kept.is_wrong
    second.kept.save()
    second.kept.discard()
    third = counted()
    assert third.kept.outputs == {}


def test_the_rounding_of_another_number_of_threads_is_no_other_output() -> None:
    value = {"y": np.array([1.0, -3.0, np.nan, np.inf])}
    assert kept_module._same(value, {"y": value["y"] * (1 + 1e-12)})
    assert not kept_module._same(value, {"y": value["y"] * (1 + 1e-6)})
    assert not kept_module._same(value, {"y": np.array([1.0, -3.0, 0.0, np.inf])})
    assert not kept_module._same(value, {"y": value["y"].astype(np.float32)})
    assert not kept_module._same({"y": np.array([1])}, {"y": np.array([2])})


@pytest.mark.usefixtures("never")
def test_a_damaged_entry_is_thrown_away() -> None:
    first_proof()
    (entry,) = entries()
    data = bytearray(entry.read_bytes())
    data[-100] ^= 1
    entry.write_bytes(bytes(data))
    second = counted()
    assert second.kept.outputs == {}
    assert entries() == ()


def test_nothing_is_kept_where_that_is_switched_off() -> None:
    with nothing_kept():
        first = counted()
        first(INPUTS[0])
        first.kept.save()
    assert entries() == ()


def test_large_outputs_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_module, "MAX_BYTES", 30)
    first_proof()
    second = counted()
    assert len(second.kept.outputs) == 2
