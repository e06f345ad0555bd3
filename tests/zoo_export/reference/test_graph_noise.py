"""A file that rounds more than PyTorch does is sound where it is right in double precision, and only there."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from zoo.bundle.judge.evidence import Magnitude
from zoo.models.outputs import Array
from zoo_export.reference.graph_noise import in_double, own_rounding
from zoo_export.reference.oracle import ReferenceOutputs

X = np.linspace(-1, 1, 12).astype(np.float32).reshape(3, 4)
FACTOR = np.float32(1.25)
NOISE = {"y": Magnitude(rms=1e-9, max=1e-9)}
EXACT = {"y": Magnitude(rms=0.0, max=0.0)}


def graph(factor: float = 1.25) -> onnx.ModelProto:
    made = helper.make_graph(
        [helper.make_node("Mul", ["x", "factor"], ["scaled"]), helper.make_node("Exp", ["scaled"], ["y"])],
        "exponential",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
        [numpy_helper.from_array(np.array(factor, np.float32), "factor")],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)])


def expected() -> ReferenceOutputs:
    right: Array = np.exp(X.astype(np.float64) * 1.25)
    return ReferenceOutputs(reference={"y": right}, single={"y": right.astype(np.float32)}, noise=NOISE, typical=NOISE)


def of_equal_backends(off: float) -> ReferenceOutputs:
    """Without double precision: backends of one opinion, so that their spread is nothing."""
    single: Array = (np.exp(X.astype(np.float64) * 1.25) * (1 + off)).astype(np.float32)
    return ReferenceOutputs(reference={"y": single.astype(np.float64)}, single={"y": single}, noise=EXACT)


def test_a_file_that_is_right_in_double_precision_has_its_own_rounding() -> None:
    coarse = (expected().reference["y"] * (1 + 1e-6)).astype(np.float32)
    rounding = own_rounding(graph(), {"x": X}, {"y": coarse}, expected())
    assert rounding is not None
    assert rounding["y"].max == pytest.approx(1e-6 * np.exp(1.25), rel=0.2)


def test_a_file_that_is_wrong_in_double_precision_has_none() -> None:
    wrong = np.exp(X * np.float32(1.250002))
    assert own_rounding(graph(1.250002), {"x": X}, {"y": wrong}, expected()) is None


def test_where_pytorch_has_no_double_precision_both_may_round() -> None:
    coarse = (expected().reference["y"] * (1 + 1e-6)).astype(np.float32)
    noise = own_rounding(graph(), {"x": X}, {"y": coarse}, of_equal_backends(-2e-6))
    assert noise is not None
    assert noise["y"].max == pytest.approx(2e-6 * np.exp(1.25), rel=0.2)
    assert own_rounding(graph(), {"x": X}, {"y": coarse}, of_equal_backends(-1e-4)) is None


def test_all_floats_of_the_graph_are_doubles() -> None:
    wide = in_double(graph())
    assert {tensor.data_type for tensor in wide.graph.initializer} == {TensorProto.DOUBLE}
    assert wide.graph.input[0].type.tensor_type.elem_type == TensorProto.DOUBLE
    assert graph().graph.initializer[0].data_type == TensorProto.FLOAT
