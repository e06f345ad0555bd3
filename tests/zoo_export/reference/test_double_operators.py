"""Each operator gives what ONNX's own evaluator gives, in double precision."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from zoo.models.outputs import Array
from zoo_export.reference.double_operators import OPERATORS

RANDOM = np.random.default_rng(0)


def evaluated(operator: str, inputs: list[Array], *, own: bool, **attributes: Any) -> Array:
    names = [f"x{index}" for index in range(len(inputs))]
    graph = helper.make_graph(
        [helper.make_node(operator, names, ["y"], **attributes)],
        operator,
        [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in names],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    evaluator = ReferenceEvaluator(model, new_ops=list(OPERATORS) if own else None)
    (result,) = evaluator.run(None, dict(zip(names, inputs, strict=True)))
    return np.asarray(result)


@pytest.mark.parametrize(
    ("shape", "attributes"),
    [
        ((1, 4, 7, 8), {"kernel_shape": [3, 2], "pads": [1, 0, 2, 1], "strides": [2, 1], "group": 2}),
        ((2, 4, 9, 9), {"kernel_shape": [3, 2], "dilations": [2, 3], "group": 2}),
        ((1, 4, 6, 6), {"kernel_shape": [3, 2], "auto_pad": "SAME_UPPER", "group": 2}),
    ],
)
def test_convolutions(shape: tuple[int, ...], attributes: dict[str, Any]) -> None:
    inputs = [RANDOM.normal(size=shape), RANDOM.normal(size=(6, 2, 3, 2)), RANDOM.normal(size=6)]
    own, plain = (evaluated("Conv", inputs, own=own, **attributes) for own in (True, False))
    assert own.dtype == np.float64
    np.testing.assert_allclose(own, plain, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    "attributes",
    [
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
        {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [2, 0, 1, 1]},
        {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1},
    ],
)
def test_the_largest_under_a_window(attributes: dict[str, Any]) -> None:
    inputs = [RANDOM.normal(size=(1, 2, 7, 7))]
    own, plain = (evaluated("MaxPool", inputs, own=own, **attributes) for own in (True, False))
    assert own.tolist() == plain.tolist()


def test_the_error_function_is_as_exact_as_double_precision() -> None:
    points = np.linspace(-3, 3, 7)
    right = [math.erf(point) for point in points]
    np.testing.assert_allclose(evaluated("Erf", [points], own=True), right, rtol=0, atol=1e-15)
    assert np.abs(evaluated("Erf", [points], own=False) - right).max() > 1e-9, "onnx computes it exactly: drop ours"


def test_inputs_that_may_not_be_written_are_read() -> None:
    points = np.linspace(-1, 1, 3)
    points.flags.writeable = False
    assert evaluated("Erf", [points], own=True)[1] == 0
