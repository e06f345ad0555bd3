"""Checkpoints of other trainings: read in a sandbox, converted once, and found inside whatever wraps them."""

from __future__ import annotations

import argparse
import json
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from zoo.api.errors import BadFile
from zoo.models.weights import pickled
from zoo.models.weights.load import read_state
from zoo.models.weights.pickle_worker import convert, parameters
from zoo.models.weights.pickled import as_safetensors
from zoo.runs.cache import cache_root

ONE, TWO = {"a": torch.ones(2)}, {"a": torch.zeros(2)}


@pytest.mark.parametrize(
    ("loaded", "place", "state"),
    [
        (ONE, "", ONE),
        ({"state_dict": ONE, "epoch": 3}, "state_dict", ONE),
        ({"model": ONE, "optimizer": {"state": {0: TWO}}}, "model", ONE),
        ({"model": {"state_dict": ONE}}, "model.state_dict", ONE),
        ({"state_dict": ONE, "state_dict_ema": TWO}, "state_dict_ema", TWO),
        ({"model": ONE, "ema": None}, "model", ONE),
        ({"model": ONE, "ema_model": TWO}, "ema_model", TWO),
        ({"params": ONE, "params_ema": TWO}, "params_ema", TWO),
        ({"student": ONE, "teacher": TWO, "center": {"c": torch.ones(1)}}, "teacher", TWO),
        ({"discriminator": TWO, "weights": ONE}, "weights", ONE),
        ({"epoch": 3, "checkpoint": {"network": ONE, "optimizer": TWO}}, "checkpoint.network", ONE),
        ({"epoch": torch.tensor(3), "model": ONE}, "model", ONE),
        ({"whatever": ONE}, "whatever", ONE),
    ],
)
def test_the_parameters_are_found_inside(loaded: Any, place: str, state: dict[str, Tensor]) -> None:
    assert parameters(loaded) == (place, state)


def test_settings_beside_the_tensors_do_no_harm(tmp_path: Path) -> None:
    torch.save({"model": ONE, "args": argparse.Namespace(lr=0.1), "out": Path("x")}, tmp_path / "a.pt")
    assert convert(tmp_path / "a.pt", tmp_path / "a.safetensors") == {"place": "model", "tensors": 1}


@pytest.mark.parametrize(
    ("loaded", "error"),
    [({"a": torch.ones(2).to_sparse()}, "odd"), ({"a": torch.ones(1).expand(1 << 30)}, "unreadable")],
)
def test_tensors_that_are_not_dense_are_refused(loaded: Any, error: str, tmp_path: Path) -> None:
    torch.save(loaded, tmp_path / "a.pt")
    assert convert(tmp_path / "a.pt", tmp_path / "a.safetensors")["error"] == error


def test_a_file_is_converted_once_and_a_damaged_conversion_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save({"state_dict": OrderedDict(ONE)}, tmp_path / "a.ckpt")
    path = as_safetensors(tmp_path / "a.ckpt")
    assert path.parent == cache_root() / "converted"
    assert torch.equal(read_state(tmp_path / "a.ckpt")["a"], ONE["a"])
    with monkeypatch.context() as patch:
        patch.setattr(pickled, "_convert", lambda *_: pytest.fail("converted again"))
        assert as_safetensors(tmp_path / "a.ckpt") == path
    path.write_bytes(path.read_bytes()[:-1])
    assert torch.equal(read_state(tmp_path / "a.ckpt")["a"], ONE["a"])


def test_a_program_is_refused_with_how_to_convert_it(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)), tmp_path / "a.pt")  # type: ignore[no-untyped-call]
    with pytest.raises(BadFile, match="is a TorchScript program") as error:
        read_state(tmp_path / "a.pt")
    assert "torch.save(model.state_dict(), 'weights.pth')" in error.value.hint


def test_format_versions_survive(tmp_path: Path) -> None:
    state = torch.nn.BatchNorm1d(2).state_dict()
    torch.save(state, tmp_path / "a.pth")
    read: Any = read_state(tmp_path / "a.pth")
    assert json.loads(json.dumps(read._metadata)) == json.loads(json.dumps(state._metadata))  # type: ignore[attr-defined]
