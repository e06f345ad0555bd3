"""Mutations of the resize in a preprocess graph, as `zoo.data.image.resize` is exported and as ONNX's own Resize is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from zoo_export.capture.onnx_graph import copy_of


@dataclass(frozen=True, slots=True)
class _Pass:
    """One pass of a portable resize, along one axis, by the names of its values."""

    mix: onnx.NodeProto
    """The Where that leaves out weights beyond the picture; its second input is the weights of the taps."""
    scale: onnx.NodeProto
    """The Div of distances by the radius of the filter."""
    distance: str
    """int64: distances between taps and centres, in units of 1 / (2 * rows) of an input row."""
    rows: str
    """int64: how many rows the picture is resized to."""


def nearest(preprocess: onnx.ModelProto) -> onnx.ModelProto | None:
    """The tap that is nearest to a centre in place of the mean of all."""
    copy = copy_of(preprocess)
    passes = list(_passes(copy.graph))
    for number, found in enumerate(passes):
        build = _Builder(copy.graph, f"nearest{number}", before=found.mix)
        # in units of half an output row: |2 * distance - 1| < 2 * rows leaves one tap of two that are as near
        doubled = build("Mul", found.distance, build.integer(2))
        offset = build("Abs", build("Sub", doubled, build.integer(1)))
        hit = build("Less", offset, build("Mul", found.rows, build.integer(2)))
        found.mix.input[1] = build("Cast", hit, to=TensorProto.FLOAT)
    nodes = [node for node in copy.graph.node if node.op_type == "Resize"]
    for node in nodes:
        mode = next((a.s.decode() for a in node.attribute if a.name == "mode"), "nearest")
        kept = [a for a in node.attribute if a.name in ("coordinate_transformation_mode", "axes")]
        del node.attribute[:]
        node.attribute.extend([*kept, helper.make_attribute("mode", "linear" if mode == "nearest" else "nearest")])
    return copy if passes or nodes else None


def without_antialias(preprocess: onnx.ModelProto) -> onnx.ModelProto | None:
    """A filter of a radius in input rows, however much the picture shrinks: what runtimes do that ignore antialias."""
    copy = copy_of(preprocess)
    passes = list(_passes(copy.graph))
    for number, found in enumerate(passes):
        build = _Builder(copy.graph, f"sharp{number}", before=found.scale)
        found.scale.input[1] = build("Cast", build("Mul", found.rows, build.integer(2)), to=TensorProto.FLOAT)
    return copy if passes else None


def half_pixel_off(preprocess: onnx.ModelProto) -> onnx.ModelProto | None:
    """Centres half an output row further on: the mistake of a runtime with other coordinates."""
    copy = copy_of(preprocess)
    passes = list(_passes(copy.graph))
    for number, found in enumerate(passes):
        build = _Builder(copy.graph, f"shifted{number}", before=found.scale)
        shifted = build("Sub", found.distance, found.rows)
        found.scale.input[0] = build("Cast", shifted, to=TensorProto.FLOAT)
    return copy if passes else None


def other_filter(preprocess: onnx.ModelProto) -> onnx.ModelProto | None:
    """The weights of the taps squared: as smooth, and another filter."""
    copy = copy_of(preprocess)
    passes = list(_passes(copy.graph))
    for number, found in enumerate(passes):
        build = _Builder(copy.graph, f"squared{number}", before=found.mix)
        found.mix.input[1] = build("Mul", found.mix.input[1], found.mix.input[1])
    return copy if passes else None


class _Builder:
    """Adds nodes to a graph before one of its nodes."""

    def __init__(self, graph: onnx.GraphProto, prefix: str, *, before: onnx.NodeProto) -> None:
        self._graph, self._prefix = graph, prefix
        self._index = next(index for index, node in enumerate(graph.node) if node.output[0] == before.output[0])
        self._count = 0

    def __call__(self, op: str, *inputs: str, to: int | None = None) -> str:
        """The name of the output of a new node; `to` is the element type of a Cast."""
        self._count += 1
        output = f"{self._prefix}_{self._count}"
        node = helper.make_node(op, list(inputs), [output])
        if to is not None:
            node.attribute.append(helper.make_attribute("to", to))
        self._graph.node.insert(self._index, node)
        self._index += 1
        return output

    def integer(self, value: int) -> str:
        """The name of a stored int64."""
        self._count += 1
        name = f"{self._prefix}_{self._count}"
        self._graph.initializer.append(numpy_helper.from_array(np.array(value, np.int64), name))
        return name


def _passes(graph: onnx.GraphProto) -> Iterator[_Pass]:
    """Every pass: ReduceSum of Where of a kernel of distance / radius, the distance being taps * rows - centre."""
    made_by = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        mix = made_by.get(node.input[0]) if node.op_type == "ReduceSum" else None
        if mix is None or mix.op_type != "Where":
            continue
        scale = _ancestor(made_by, mix.input[1], "Div")
        cast = made_by.get(scale.input[0]) if scale else None
        distance = made_by.get(cast.input[0]) if cast and cast.op_type == "Cast" else None
        taps = _ancestor(made_by, distance.input[0], "Mul") if distance and distance.op_type == "Sub" else None
        if scale and distance and taps:
            yield _Pass(mix=mix, scale=scale, distance=distance.output[0], rows=taps.input[1])


def _ancestor(made_by: dict[str, onnx.NodeProto], name: str, op: str) -> onnx.NodeProto | None:
    """The nearest node of a kind that a value is computed from."""
    waiting = [name]
    seen: set[str] = set()
    while waiting:
        node = made_by.get(waiting.pop(0))
        if node is None or node.output[0] in seen:
            continue
        if node.op_type == op:
            return node
        seen.add(node.output[0])
        waiting += node.input
    return None
