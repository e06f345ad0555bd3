"""A module whose numbers lie in a file computes as before, also after the memory was given back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from zoo_export.reference.mapped_state import LARGE, MappedState


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(256, 300)
        self.tied = nn.Linear(256, 300)
        self.tied.weight = self.first.weight
        self.register_buffer("shift", torch.rand(300, 256).T)
        self.register_buffer("calls", torch.zeros(LARGE))

    def forward(self, x: Tensor) -> Tensor:
        self.get_buffer("calls").add_(1.0)
        y: Tensor = self.first(x) + self.tied(x) + x @ self.get_buffer("shift")
        return y


def test_it_computes_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    module, inputs = Net().double().eval(), torch.rand(3, 256, dtype=torch.float64)
    with torch.no_grad():
        expected = module(inputs)
        state = MappedState(module)
        for _ in range(2):
            assert torch.equal(module(inputs), expected)
            state.release()
    assert module.tied.weight is module.first.weight
    assert module.get_buffer("shift").stride() == (1, 256)  # not in rows: it stays in memory
    assert bool((module.get_buffer("calls") == 3.0).all())
    assert list(tmp_path.iterdir()) == []


def test_a_module_of_small_tensors_stays_as_it_is() -> None:
    module = nn.Linear(2, 2)
    before = module.weight.data_ptr()
    MappedState(module).release()
    assert module.weight.data_ptr() == before
