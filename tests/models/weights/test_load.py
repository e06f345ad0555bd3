"""State dicts into models: every name and shape as it should be, and no code from files."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import mnasnet0_5

from zoo.api.errors import BadFile
from zoo.models.weights.load import load_state, read_state


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 4))


def state() -> dict[str, Tensor]:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 4)).state_dict()


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_a_safetensors_file_and_a_publishers_pth_are_read_alike(tmp_path: Path) -> None:
    save_file(state(), tmp_path / "a.safetensors")
    torch.save(state(), tmp_path / "a.pth")
    for name in ("a.safetensors", "a.pth"):
        model = network()
        load_state(model, read_state(tmp_path / name), origin=name)
        assert same(model.state_dict(), state())


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("owned"),)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            pickle.dumps({"a": Evil()}, protocol=2),
            r"holds more than tensors \(it asks for getattr\), and zoo runs no code from files",
        ),
        (b"not a file of tensors", "holds more than tensors|is not a readable file of tensors"),
        (b"", "is not a readable file of tensors"),
    ],
    ids=["evil", "text", "empty"],
)
def test_a_pth_that_is_not_tensors_is_refused(
    content: bytes, sentence: str, tmp_path: Path, empty_directory: Path
) -> None:
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(BadFile, match=sentence):
        read_state(tmp_path / "a.pth")
    assert not (empty_directory / "owned").exists()


def test_a_pickled_module_is_refused(tmp_path: Path) -> None:
    torch.save(network(), tmp_path / "a.pth")
    with pytest.raises(BadFile, match="holds more than tensors"):
        read_state(tmp_path / "a.pth")


def test_a_checkpoint_without_tensors_is_refused(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "model": {"depth": 2}}, tmp_path / "a.pth")
    with pytest.raises(BadFile, match="is not a state_dict: it holds no tensors by name"):
        read_state(tmp_path / "a.pth")


def test_a_truncated_safetensors_file_is_refused(tmp_path: Path) -> None:
    save_file(state(), tmp_path / "a.safetensors")
    (tmp_path / "b.safetensors").write_bytes((tmp_path / "a.safetensors").read_bytes()[:-4])
    with pytest.raises(BadFile, match="is not a readable safetensors file"):
        read_state(tmp_path / "b.safetensors")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"0.weight": None}, "w does not fit this Sequential: 0.weight is missing"),
        ({"7.weight": torch.zeros(1)}, "w does not fit this Sequential: 7.weight is not in the model"),
        ({"0.bias": torch.zeros(9)}, "w does not fit this Sequential: 0.bias is [9] where [3] belongs"),
        ({"0.bias": torch.zeros(3).double()}, "0.bias is float64 where float32 belongs"),
        ({"0.bias": torch.zeros(3).long()}, "0.bias is int64 where float32 belongs"),
        ({"1.num_batches_tracked": torch.tensor(1.0)}, "1.num_batches_tracked is float32 where int64 belongs"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Tensor | None], sentence: str) -> None:
    changed = {name: tensor for name, tensor in (dict(state()) | change).items() if tensor is not None}
    with pytest.raises(BadFile, match=re.escape(sentence)):
        load_state(network(), changed, origin="w")


def test_a_fresh_head_keeps_what_the_model_has() -> None:
    model = network()
    load_state(model, dict(state()) | {"2.weight": torch.zeros(9, 3)}, origin="w", fresh=("2.",))
    loaded, untouched = model.state_dict(), network().state_dict()
    assert torch.equal(loaded["2.weight"], untouched["2.weight"])
    assert torch.equal(loaded["0.weight"], state()["0.weight"])


def test_optional_parts_may_be_on_one_side_only() -> None:
    model = network()
    load_state(model, dict(state()) | {"aux.weight": torch.zeros(1)}, origin="w", optional=("aux.",))
    assert same(model.state_dict(), state())
    headless, untouched = network(), network().state_dict()
    body = {name: tensor for name, tensor in state().items() if not name.startswith("2.")}
    load_state(headless, body, origin="w", optional=("2.",))
    assert same(headless.state_dict(), {**untouched, **body})


def test_the_second_name_of_a_tied_tensor_may_be_absent() -> None:
    model = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})
    model["b"].weight = model["a"].weight
    tensors = dict(model.state_dict())
    del tensors["b.weight"]
    load_state(model, tensors, origin="w")
    del tensors["a.weight"]
    with pytest.raises(BadFile, match=r"a.weight is missing, b.weight is missing"):
        load_state(model, tensors, origin="w")


def test_a_network_that_asks_for_format_versions_loads_from_safetensors(tmp_path: Path) -> None:
    saved = mnasnet0_5(num_classes=2)
    save_file(saved.state_dict(), tmp_path / "a.safetensors")
    model = mnasnet0_5(num_classes=2)
    load_state(model, read_state(tmp_path / "a.safetensors"), origin="w")
    assert same(model.state_dict(), saved.state_dict())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrower_numbers_are_widened_exactly(dtype: torch.dtype) -> None:
    model, full = network(), state()
    narrow = {name: tensor.to(dtype) if tensor.ndim > 1 else tensor for name, tensor in full.items()}
    load_state(model, narrow, origin="w")
    assert same(model.state_dict(), {name: tensor.to(full[name].dtype) for name, tensor in narrow.items()})
