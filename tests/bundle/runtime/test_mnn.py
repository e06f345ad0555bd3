"""What zoo changes in a graph for MNN changes no answer."""

from __future__ import annotations

import numpy as np
from onnx.reference import ReferenceEvaluator

from zoo.bundle.engines.mnn import _with_own_outputs
from zoo.testing.runtime import _linear


def test_an_output_that_a_node_reads_is_given_by_a_node_of_its_own() -> None:
    rows = np.random.default_rng(0).standard_normal((3, 4), dtype=np.float32)
    expected = ReferenceEvaluator(_linear()).run(None, {"rows": rows})
    model = _with_own_outputs(_linear())
    assert [node.op_type for node in model.graph.node] == ["MatMul", "Reshape", "Sign", "Cast"]
    assert [list(node.input) for node in model.graph.node][2] == ["sums/inner"]
    actual = ReferenceEvaluator(model).run(None, {"rows": rows})
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(one, other)
