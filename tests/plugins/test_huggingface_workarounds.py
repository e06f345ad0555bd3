"""What of transformers' networks cannot be exported as it is; each test fails once upstream needs no workaround."""

from __future__ import annotations

import importlib
import inspect
import os
from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

import zoo

pytest.importorskip("transformers")

import onnxruntime

from zoo_huggingface import workarounds
from zoo_huggingface.workarounds import CHECKS_OFF, ZeroBorder


def padded_then_pooled() -> bytes:
    """A border of zeros, then the largest of 3 x 3, as BiT begins."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("Pad", ["maps", "border"], ["padded"]),
            helper.make_node("MaxPool", ["padded"], ["pooled"], kernel_shape=[3, 3], strides=[2, 2]),
        ],
        "padded_then_pooled",
        [value("maps", TensorProto.FLOAT, [1, 1, 4, 4])],
        [value("pooled", TensorProto.FLOAT, [1, 1, 2, 2])],
        [helper.make_tensor("border", TensorProto.INT64, [8], [0, 0, 1, 1, 0, 0, 1, 1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return bytes(model.SerializeToString())


def test_the_runtime_still_pads_a_max_pooling_with_minus_infinity_where_zeros_are_asked_for() -> None:
    maps = np.full((1, 1, 4, 4), -1, np.float32)
    session = onnxruntime.InferenceSession(padded_then_pooled())
    right = nn.functional.max_pool2d(nn.ConstantPad2d(1, 0.0)(torch.from_numpy(maps)), 3, 2)
    assert right.flatten().tolist() == [0, 0, 0, -1]
    assert session.run(None, {"maps": maps})[0].ravel().tolist() == [-1, -1, -1, -1]


def test_the_border_of_bit_is_the_librarys() -> None:
    maps = torch.rand(2, 3, 5, 4) - 2
    assert torch.equal(ZeroBorder()(maps), torch.nn.ConstantPad2d(1, 0.0)(maps))
    model: Any = zoo.create_model("bit_micro", num_classes=3)
    assert isinstance(model.network.bit.embedder.pad, ZeroBorder)


@pytest.mark.parametrize("name", ["rtdetr_v2_micro", "dfine_micro"])
def test_the_attention_still_compares_sizes_as_tensors(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = zoo.create_model(name, num_classes=3, seed=1).eval()
    layers = [layer for layer in model.modules() if isinstance(layer, workarounds.CHECKED)]
    assert layers
    checked = []
    monkeypatch.setattr(torch, "_check_tensor_all_with", lambda *check: checked.append(check))
    pixels = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = model(pixels)
        assert checked == []
        assert CHECKS_OFF not in os.environ
        for layer in layers:
            layer._forward_pre_hooks.clear()
            layer._forward_hooks.clear()
        actual = model(pixels)
    assert checked != []
    assert all(torch.equal(*pair) for pair in zip(expected, actual, strict=True))


@pytest.mark.slow
def test_onnx_still_has_no_form_of_that_comparison() -> None:
    class Compared(nn.Module):
        def forward(self, sizes: torch.Tensor) -> torch.Tensor:
            return torch._is_all_true(sizes > 0)

    with pytest.raises(Exception, match=r"No ONNX function found for .*aten\._is_all_true"):
        torch.onnx.export(Compared(), (torch.rand(3),), dynamo=True, verbose=False)


@pytest.mark.parametrize("count", [len, workarounds.length])
def test_pythons_own_length_of_a_tensor_still_becomes_a_constant(count: Any) -> None:
    class Counted(nn.Module):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            return torch.ones(count(pictures))

    batch = torch.export.Dim.DYNAMIC
    if count is workarounds.length:
        torch.export.export(Counted(), (torch.zeros(2, 3),), dynamic_shapes=({0: batch},), strict=False)
    else:
        with pytest.raises(Exception, match=r"to be a constant \(2\)"):
            torch.export.export(Counted(), (torch.zeros(2, 3),), dynamic_shapes=({0: batch},), strict=False)


@pytest.mark.parametrize("family", ["rt_detr_v2", "d_fine"])
def test_the_library_still_asks_for_the_length_of_a_tensor(family: str) -> None:
    name = {"rt_detr_v2": "rtdetr_v2_micro", "d_fine": "dfine_micro"}[family]
    zoo.create_model(name, num_classes=3)
    module = importlib.import_module(f"transformers.models.{family}.modeling_{family}")
    assert "len(source_flatten)" in inspect.getsource(module)
    assert module.len is workarounds.length
