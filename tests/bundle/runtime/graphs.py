"""Tiny ONNX files, good and hostile ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def model(
    nodes: Sequence[onnx.NodeProto],
    *,
    shape: Sequence[int | str] = ("batch", 4),
    out: Sequence[int | str] = ("batch", 2),
    constants: Sequence[onnx.TensorProto] = (),
    domains: Sequence[str] = ("",),
) -> onnx.ModelProto:
    """x float32 -> y float32."""
    graph = helper.make_graph(
        list(nodes),
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, list(out))],
        initializer=list(constants),
    )
    opsets = [helper.make_opsetid(domain, 18 if not domain else 1) for domain in domains]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="test")


def linear() -> onnx.ModelProto:
    """y = x W + b, with W = [[0, 1], [2, 3], [4, 5], [6, 7]] and b = [1, -1]."""
    weight = numpy_helper.from_array(np.arange(8, dtype=np.float32).reshape(4, 2), "fc.weight")
    bias = numpy_helper.from_array(np.array([1, -1], dtype=np.float32), "fc.bias")
    return model([helper.make_node("Gemm", ["x", "fc.weight", "fc.bias"], ["y"], name="fc")], constants=[weight, bias])


def softmax() -> onnx.ModelProto:
    """y = softmax(x)."""
    return model([helper.make_node("Softmax", ["x"], ["y"], name="softmax")], out=["batch", 4])


def numbers(name: str, *values: int) -> onnx.TensorProto:
    """An int64 vector."""
    return helper.make_tensor(name, TensorProto.INT64, [len(values)], list(values))


def bomb(elements: int = 2**36) -> onnx.ModelProto:
    """A hundred bytes that ask for 256 GB."""
    node = helper.make_node("ConstantOfShape", ["sizes"], ["y"], name="bomb")
    return model([node], shape=[1], out=["n"], constants=[numbers("sizes", elements)])


def endless(*, trips: onnx.TensorProto | None = None) -> onnx.ModelProto:
    """A loop whose condition stays true."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Identity", ["v"], ["v_out"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, [1]),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v_out", TensorProto.FLOAT, [1]),
        ],
    )
    true = helper.make_tensor("true", TensorProto.BOOL, [], [True])
    count = trips.name if trips is not None else ""
    loop = helper.make_node("Loop", [count, "true", "x"], ["y"], name="spin", body=body)
    return model([loop], shape=[1], out=[1], constants=[true, *([trips] if trips is not None else [])])


def outside(place: str) -> onnx.ModelProto:
    """Weights that lie in another file."""
    found = linear()
    weight = found.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    for key, value in (("location", place), ("offset", "0"), ("length", "32")):
        weight.external_data.add(key=key, value=value)
    return found


def saved(graph: onnx.ModelProto, path: Path) -> Path:
    """The file, written."""
    path.write_bytes(graph.SerializeToString())
    return path
