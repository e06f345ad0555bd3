"""Group norm and variance are written with means that ONNX Runtime computes exactly enough, with every option."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from zoo.api.task import Port, Signature
from zoo_export.capture.torch_export import export_graph


def graph(module: nn.Module, shape: tuple[int, ...], *, opset: int = 18) -> onnx.ModelProto:
    """As it ships, with a dynamic batch."""
    port = Port(name="x", dtype="float32", shape=("batch", *shape))
    signature = Signature(inputs=(port,), outputs=(Port(name="y", dtype="float32", shape=("batch", *shape)),))
    example = {"x": np.zeros((2, *shape), np.float32)}
    return export_graph(module.eval(), example, signature, opset=opset, name="it").shipped.model


def answer(model: onnx.ModelProto, inputs: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    output: np.ndarray = session.run(None, {session.get_inputs()[0].name: inputs})[0]
    return output


def randomised(module: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    return module


@pytest.mark.parametrize(
    ("shape", "affine"), [((8,), True), ((8, 5), True), ((8, 5, 3), True), ((8, 5, 3), False), ((8, 2, 5, 3), True)]
)
def test_it_is_group_norm_at_every_rank(shape: tuple[int, ...], affine: bool) -> None:
    module = randomised(nn.GroupNorm(2, 8, eps=0.1, affine=affine))
    inputs = np.random.default_rng(0).normal(3.0, 1.0, (3, *shape)).astype(np.float32)
    expected = module(torch.from_numpy(inputs)).detach().numpy()
    assert np.abs(answer(graph(module, shape), inputs) - expected).max() < 2e-6


def uniform(channels: int, side: int) -> np.ndarray:
    """One number a channel, as a convolution gives of a picture of one colour."""
    values = np.random.default_rng(0).normal(0.0, 10.0, (1, channels, 1, 1)).astype(np.float32)
    return np.broadcast_to(values, (1, channels, side, side)).copy()


def error(answered: np.ndarray, inputs: np.ndarray, groups: int) -> float:
    expected = nn.functional.group_norm(torch.from_numpy(inputs).double(), groups).numpy()
    return float(np.abs(answered - expected).max())


@pytest.mark.parametrize(("groups", "opset"), [(1, 18), (4, 18), (4, 21)])
def test_equal_numbers_cost_no_digits(groups: int, opset: int) -> None:
    inputs = uniform(8, 112)
    model = graph(nn.GroupNorm(groups, 8), (8, 112, 112), opset=opset)
    assert error(answer(model, inputs), inputs, groups) < 4e-6


class Variance(nn.Module):
    def __init__(self, **options: object) -> None:
        super().__init__()
        self.options = options

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / torch.var(x, **self.options)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(
    "options",
    [
        {"dim": (2, 3), "unbiased": False, "keepdim": True},
        {"dim": (-1, 1), "keepdim": True},
        {"dim": (1, 2, 3), "correction": 0, "keepdim": True},
        {"dim": (0, 1), "correction": 2.0},
    ],
)
def test_it_is_the_variance_with_every_option(options: dict[str, object]) -> None:
    inputs = np.random.default_rng(0).normal(3.0, 1.0, (3, 4, 5, 6)).astype(np.float32)
    module = Variance(**options)
    assert np.allclose(answer(graph(module, (4, 5, 6)), inputs), module(torch.from_numpy(inputs)).numpy(), rtol=2e-6)


def test_the_runtimes_own_norm_still_loses_them() -> None:
    """Once this fails, torch's way of writing it is good enough."""
    text = """<ir_version: 10, opset_import: ["" : 18]>
    norm (float[1, 4, N] x) => (float[1, 4, N] y)
    <float[4] s = {1, 1, 1, 1}, float[4] b = {0, 0, 0, 0}> { y = InstanceNormalization(x, s, b) }"""
    inputs = uniform(8, 112)
    output = answer(onnx.parser.parse_model(text), inputs.reshape(1, 4, -1))
    assert error(output.reshape(inputs.shape), inputs, 4) > 1.5e-5
