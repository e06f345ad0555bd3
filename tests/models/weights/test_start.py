"""Starting from parameters: what is no number is refused before anything is trained."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from zoo.cli import main
from zoo.models.build import seeded
from zoo_resnet.model import resnet8


@pytest.fixture(name="state")
def _state() -> dict[str, Tensor]:
    with seeded(0):
        return dict(resnet8(num_classes=10, channels=1).state_dict())


@pytest.mark.parametrize(
    ("value", "kind"), [(math.nan, torch.float32), (math.inf, torch.float16), (-math.inf, torch.bfloat16)]
)
def test_a_number_that_is_none_is_named(
    value: float,
    kind: torch.dtype,
    state: dict[str, Tensor],
    empty_directory: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = next(name for name, tensor in state.items() if tensor.ndim == 4)
    state[name] = state[name].to(kind)
    state[name].view(-1)[-1] = value
    torch.save({"state_dict": {f"module.{name}": tensor for name, tensor in state.items()}}, "diverged.pth")
    assert main(["train", "resnet8", "--weights", "diverged.pth", "--max-steps", "1", "--threads", "1"]) == 2
    said = capsys.readouterr().err
    assert f"module.{name} of diverged.pth holds numbers that are NaN or infinite" in said
    assert "take an earlier checkpoint of it, or other weights" in said
    assert [path.name for path in empty_directory.iterdir()] == ["diverged.pth"]
