"""What is said of a file that computes in fewer bits, and of the operators that hold the weights."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from zoo_export.capture.stored_model import StoredModel
from zoo_export.variants.candidates import CandidateContext, _with_module
from zoo_export.variants.convert import left_in_float
from zoo_export.verify.variants import fewer_bits

MODULES = {"a": "features.0", "b": "head", "c": "head"}


def model(*ops: str, dtype: type[np.generic] = np.float32) -> onnx.ModelProto:
    """Nodes one after another, each with a weight of its own; their values are called a, b, c."""
    values = ["input", *"abc"]
    nodes = [
        helper.make_node(op, [values[i], f"w{i}"], [values[i + 1]], name=f"node_{op}_{i}") for i, op in enumerate(ops)
    ]
    weights = [numpy_helper.from_array(np.zeros((2, 2), dtype), f"w{i}") for i in range(len(ops))]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in ("input", values[len(ops)])]
    return helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], weights))


def test_operators_and_weights_in_fewer_bits_are_named() -> None:
    assert fewer_bits(model("MatMul", "Add")) == ""
    assert fewer_bits(model("QuantizeLinear", "DequantizeLinear", "DequantizeLinear")) == (
        "2 DequantizeLinear, 1 QuantizeLinear"
    )
    assert fewer_bits(model("MatMulInteger", "MatMulNBits")) == "1 MatMulInteger, 1 MatMulNBits"
    assert fewer_bits(model("MatMul", dtype=np.float16)) == "1 tensor in half precision"


def test_the_operators_that_hold_weights_are_named_with_their_modules() -> None:
    assert left_in_float(model("Conv", "Gemm", "Gemm"), MODULES) == "Conv (features.0); Gemm (head)"
    assert left_in_float(model("Conv"), {}) == "Conv (node_Conv_0)"


def test_a_reason_that_names_a_node_names_its_module() -> None:
    graph = SimpleNamespace(shipped=StoredModel.of(model("Conv", "Gemm")), modules=MODULES)
    proof = SimpleNamespace(exported=SimpleNamespace(graph=graph))
    context = cast("CandidateContext", SimpleNamespace(proof=proof))
    reason = "no implementation of ConvInteger, the node node_Conv_0_quant"
    assert _with_module(context, reason) == f"{reason}; node_Conv_0 is the Conv of features.0"
    assert _with_module(context, "there are no data") == "there are no data"
