"""What a graph says about itself."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from zoo.api.task import Port, Signature
from zoo_export.capture.onnx_graph import copy_of, hash_weights, name_axes


def test_computed_axes_get_identifiers_where_they_are_declared() -> None:
    shapes: dict[str, list[str | int | None]] = {
        "boxes": ["Min(20, u1)", 4],
        "scores": ["n", "2*n + 1"],
        "features": ["s53//4"],
    }
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    model = helper.make_model(helper.make_graph([], "graph", [], outputs))
    ports: dict[str, tuple[str | int, ...]] = {"boxes": ("count", 4), "scores": ("n", "m"), "features": ("length",)}
    signature = Signature(
        inputs=(), outputs=tuple(Port(name=name, dtype="float32", shape=shape) for name, shape in ports.items())
    )
    name_axes(model, signature, ("boxes", "scores"))
    named = {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in model.graph.output
    }
    assert named == {"boxes": ["count", 4], "scores": ["n", "m"], "features": ["s53//4"]}


def graph_with(large: float) -> ModelProto:
    """A graph of a large weight and of a shape."""
    weight = np.full((64, 64), large, np.float32)
    tensors = [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(np.array([2, 3]), "shape")]
    return helper.make_model(helper.make_graph([], "graph", [], [], initializer=tensors))


def test_hashed_weights_take_no_memory_and_tell_graphs_apart() -> None:
    one, same, other = graph_with(1.0), graph_with(1.0), graph_with(1.5)
    whole = copy_of(one)
    for model in (one, same, other):
        hash_weights(model)
    assert one == same != other
    assert one.ByteSize() < whole.ByteSize() - 16_000
    assert list(one.graph.initializer[0].dims) == [64, 64]
    assert one.graph.initializer[1] == whole.graph.initializer[1]
