"""The built-in runtimes beside ONNX Runtime: weights beside a graph are found; a missing tool fails with its name."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.bundle.runtime import graphs
from zoo.bundle.engines.built_in import BUILT_IN_RUNTIMES
from zoo.bundle.sandbox.runtime import Runtime
from zoo_export.controls.light_graph import light_graph

pytestmark = pytest.mark.ci
OTHERS = [spec.name for spec in BUILT_IN_RUNTIMES if spec.name != "onnxruntime"]


def large() -> onnx.ModelProto:
    """y = x W with W of 262,144 rows, which a light graph keeps in a file beside it."""
    weight = onnx.numpy_helper.from_array(np.ones((262_144, 2), np.float32), "fc.weight")
    node = onnx.helper.make_node("MatMul", ["x", "fc.weight"], ["y"], name="fc")
    return graphs.model([node], shape=["batch", 262_144], constants=[weight])


@pytest.mark.parametrize("name", OTHERS)
def test_weights_beside_a_graph_are_found(name: str) -> None:
    """Mutants of a large model are graphs with its weights beside them."""
    light = light_graph(large())
    assert light.weights is not None
    x = np.ones((2, 262_144), np.float32)
    with Runtime(engine=name) as runtime:
        session = runtime.session(light.model.SerializeToString(), title="control weight", weights=light.weights)
        answers = runtime.run(session, {"x": x})["y"]
    expected = np.full((2, 2), 262_144)
    np.testing.assert_allclose(answers, expected, rtol=1e-4)
