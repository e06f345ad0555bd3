"""What a graph says about itself."""

from __future__ import annotations

from onnx import TensorProto, helper

from zoo.api.task import Port, Signature
from zoo_export.capture.onnx_graph import name_axes


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
