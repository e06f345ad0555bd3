"""A graph whose weights lie in a file computes the same, and its mutants are those of the whole graph."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from zoo.bundle.sandbox.runtime import Runtime
from zoo_export.capture.onnx_graph import hash_weights
from zoo_export.controls.graph_edits import bias, scale, weight
from zoo_export.controls.light_graph import light_graph

WIDTH = 600
LAYERED = {"weight": weight, "scale": scale, "bias": bias}


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    random = np.random.default_rng(0)
    values = {
        "weight": random.standard_normal((WIDTH, WIDTH)).astype(np.float32),
        "bias": random.standard_normal(WIDTH * 2)[:WIDTH].astype(np.float32),
    }
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["input", "weight", "bias"], ["logits"])],
        "one layer",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", WIDTH])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", WIDTH])],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


@pytest.mark.parametrize("name", LAYERED)
def test_a_mutant_of_the_light_graph_is_the_mutant_of_the_whole(model: onnx.ModelProto, name: str) -> None:
    light = light_graph(model)
    whole, small = LAYERED[name](model), LAYERED[name](light.model, 0, light.weights)
    assert whole is not None
    assert small is not None
    assert small.detail == whole.detail
    hash_weights(whole.model)
    light.hash(small.model)
    assert small.model == whole.model


def test_the_runtime_gives_the_same_bits(model: onnx.ModelProto) -> None:
    light = light_graph(model)
    assert light.weights is not None
    assert light.model.ByteSize() < 10_000
    inputs = {"input": np.random.default_rng(1).standard_normal((3, WIDTH)).astype(np.float32)}
    with Runtime() as runtime:
        whole = runtime.run(runtime.session(model.SerializeToString()), inputs)
        small = runtime.run(runtime.session(light.model.SerializeToString(), weights=light.weights), inputs)
    np.testing.assert_array_equal(small["logits"], whole["logits"])


def test_a_small_graph_stays_as_it_is(model: onnx.ModelProto) -> None:
    small = onnx.ModelProto()
    small.CopyFrom(model)
    del small.graph.initializer[0]
    light = light_graph(small)
    assert light.model is small
    assert light.weights is None
