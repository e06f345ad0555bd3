"""Attention of any number of axes is captured, which torch's exporter alone does for four."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.api.task import Port, Signature
from zoo_export.capture.capture_settings import FourAxesAttention
from zoo_export.capture.torch_export import export_graph

MASK = torch.rand(2, 1, 2, 4, 5, 5, generator=torch.Generator().manual_seed(0)) > 0.3


class Attends(nn.Module):
    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = options

    def forward(self, x: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(x, x * 0.5, x[..., :3] + 1.0, **self.options)


def exported(module: nn.Module, inputs: Tensor, *, batch: int | str = "batch", opset: int = 18) -> Tensor:
    """What ONNX Runtime answers; the graph is captured on the first two items."""
    ports = [
        Port(name=name, dtype="float32", shape=(batch, *inputs.shape[1:-1], size))
        for name, size in (("x", inputs.shape[-1]), ("y", 3))
    ]
    signature = Signature(inputs=(ports[0],), outputs=(ports[1],))
    graph = export_graph(module.eval(), {"x": inputs[:2].numpy()}, signature, opset=opset, name="it").shipped.model
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    output: np.ndarray[Any, Any] = session.run(None, {"x": inputs.numpy()})[0]
    return torch.from_numpy(output)


@pytest.mark.parametrize(
    ("shape", "options", "batch"),
    [
        ((7, 3, 4, 5, 8), {}, "batch"),
        ((7, 5, 8), {"is_causal": True}, "batch"),
        ((7, 8), {"scale": 0.3}, "batch"),
        ((7, 3, 4, 5, 8), {"attn_mask": torch.linspace(-1.0, 1.0, 25).reshape(5, 5)}, "batch"),
        ((2, 3, 2, 4, 5, 8), {"attn_mask": MASK | torch.eye(5, dtype=torch.bool)}, 2),
        ((7, 4, 5, 8), {"is_causal": True}, "batch"),
    ],
)
def test_it_answers_as_pytorch(shape: tuple[int, ...], options: Mapping[str, Any], batch: int | str) -> None:
    module, inputs = Attends(**options), torch.randn(shape, generator=torch.Generator().manual_seed(1))
    answer = exported(module, inputs, batch=batch)
    assert answer.shape == module(inputs).shape
    assert (answer - module(inputs)).abs().max() < 2e-6


def test_torch_alone_still_takes_four_axes() -> None:
    with pytest.raises(Exception, match="only 4D query, key, and value are supported"):
        torch.onnx.export(Attends().eval(), (torch.randn(2, 3, 4, 5, 8),), dynamo=True, verbose=False)


def test_what_pytorch_refuses_is_still_refused() -> None:
    with FourAxesAttention(), pytest.raises(RuntimeError):
        F.scaled_dot_product_attention(torch.zeros(2, 3, 4, 5), torch.zeros(2, 9, 4, 5), torch.zeros(2, 3, 4, 5))
