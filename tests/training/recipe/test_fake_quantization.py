"""Training for 8 bits: exact steps, gradients that pass, and a model that loses less."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import zoo
from tests.training.toy import train_toy
from zoo.training.engine.optimizer_step import without_compiler
from zoo.training.recipe.fake_quantization import fake_quantized, round_activation, round_weight


def rounded(function: Callable[[], Tensor]) -> Tensor:
    return fake_quantized(function)()


def test_an_activation_has_256_steps_with_zero_among_them() -> None:
    values = torch.tensor([-51.0, 0.0, 0.3, 0.39, 204.0])
    assert round_activation(values).tolist() == [-51.0, 0.0, 0.0, 0.0, 204.0]  # in steps of 1
    assert round_activation(values / 255).mul(255).round(decimals=3).tolist() == [-51.0, 0.0, 0.0, 0.0, 204.0]
    positive = torch.tensor([1.0, 1.4, 255.0])
    assert round_activation(positive).tolist() == [1.0, 1.0, 255.0]  # from zero on, though nothing is below 1
    assert round_activation(torch.zeros(3)).tolist() == [0.0, 0.0, 0.0]
    assert round_activation(torch.tensor([1, 2])).dtype == torch.int64


def test_a_weight_has_a_step_for_each_output_channel() -> None:
    matrix = torch.tensor([[127.0, 0.4, -3.6], [1.27, 0.004, -0.036]])
    expected = torch.tensor([[127.0, 0.0, -4.0], [1.27, 0.0, -0.04]])
    assert torch.allclose(round_weight(matrix, 0), expected, atol=1e-6)
    assert torch.allclose(round_weight(matrix.T, 1), expected.T, atol=1e-6)


def test_gradients_pass_the_rounding() -> None:
    weight = torch.tensor([[0.4, -1.27]], requires_grad=True)
    round_weight(weight, 0).sum().backward()  # type: ignore[no-untyped-call]
    assert weight.grad is not None and weight.grad.tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (nn.Linear(6, 4), (3, 6)),
        (nn.Conv1d(2, 3, 3), (2, 2, 9)),
        (nn.Conv2d(2, 4, 3, groups=2), (2, 2, 6, 6)),
        (nn.ConvTranspose2d(2, 3, 2), (2, 2, 4, 4)),
        (nn.TransformerEncoderLayer(8, 2, 8, dropout=0.0, batch_first=True), (2, 3, 8)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None,
)
def test_layers_read_rounded_values_while_they_learn(module: nn.Module, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    values = torch.randn(shape)
    plain, learning = module(values), rounded(lambda: module(values))
    difference = (plain - learning).abs().max()
    assert 0 < difference < 0.1
    learning.sum().backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for parameter in module.parameters())
    assert torch.equal(module(values), plain)  # nothing stays behind


def test_the_product_of_two_activations_is_rounded() -> None:
    left, right = torch.tensor([[255.0, 0.4]]), torch.tensor([[1.0], [255.0]])
    assert (left @ right).item() == pytest.approx(357.0)
    assert rounded(lambda: left @ right).item() == pytest.approx(255.0)


def test_a_model_without_a_product_is_told_so() -> None:
    with pytest.raises(zoo.UsageError) as error:
        rounded(lambda: torch.zeros(3).relu())
    assert error.value.message.startswith("this model has no convolution, no linear layer and no matrix product")


def test_what_8_bits_ruined_is_learned_again() -> None:
    """One hidden channel is 500 times as large as the others, which 8 bits round to nothing."""
    without_compiler()  # which loading an optimiser would load otherwise
    torch.manual_seed(0)
    inputs, first, second = torch.randn(64, 8), nn.Linear(8, 16), nn.Linear(16, 2)
    net = nn.Sequential(first, nn.ReLU(), second)
    targets = net(inputs).detach()
    with torch.no_grad():
        first.weight[3] *= 500
        first.bias[3] *= 500
        second.weight[:, 3] /= 500

    def error(model: nn.Module) -> float:
        return rounded(lambda: nn.functional.mse_loss(model(inputs), targets)).item()

    def fine_tuned(*, aware: bool) -> nn.Module:
        model = deepcopy(net)
        forward = fake_quantized(model.forward) if aware else model.forward
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        for _ in range(100):
            nn.functional.mse_loss(forward(inputs), targets).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad()
        return model

    before, plain, aware = error(net), error(fine_tuned(aware=False)), error(fine_tuned(aware=True))
    assert aware < 0.5 * plain
    assert aware < 0.5 * before


def test_a_run_learns_for_8_bits_and_keeps_a_plain_model(tmp_path: Path) -> None:
    train_toy(tmp_path / "plain", epochs=1)
    train_toy(tmp_path / "aware", "fake_quantize=true", epochs=1)
    plain, aware = (
        load_file(run / "checkpoints" / "step-6" / "model.safetensors")
        for run in (tmp_path / "plain", tmp_path / "aware")
    )
    assert {name: value.shape for name, value in aware.items()} == {name: value.shape for name, value in plain.items()}
    assert any(not torch.equal(aware[name], plain[name]) for name in plain)


def test_compiled_steps_cannot_be_rounded(tmp_path: Path) -> None:
    with pytest.raises(zoo.UsageError, match=r"recipe\.fake_quantize works in eager mode alone"):
        train_toy(tmp_path / "run", "fake_quantize=true", "compile=true")
    assert not (tmp_path / "run").exists()
