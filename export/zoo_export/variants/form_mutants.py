"""Mutants of a pipeline for one size or for batches: what only such a pipeline can get wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import onnx
from onnx import helper, numpy_helper

from zoo_export.capture.compose import rename
from zoo_export.variants.batch_graph import ROWS

LAST: Final = np.iinfo(np.int64).max
Edit = Callable[[onnx.GraphProto, str], list[onnx.NodeProto]]
"""(the graph, the value) -> nodes that make "VALUE/mutant" of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormMutation:
    """One wrong thing, and the graph that has it."""

    name: str
    detail: str
    edit: Callable[[onnx.ModelProto], None]


def batch_mutations(model: onnx.ModelProto) -> Iterator[FormMutation]:
    """Of a batch pipeline: wrong orders, lost and repeated pictures, one picture's preprocessing for all."""
    image, answer = model.graph.input[0], model.graph.output[0].name
    scans = [node for node in model.graph.node if node.op_type == "Scan"]
    prepared = scans[0].output[0]
    rows = next(name for name in scans[1].input if name.startswith(ROWS))
    yield _before("batch: order reversed", image.name, _reversed)
    yield _before("batch: each picture one place on", image.name, _rolled)
    yield _before("batch: last picture left out", image.name, _shortened)
    yield _before("batch: last picture repeated", image.name, _repeated)
    yield _behind("batch: one preprocess for all", prepared, _first_of_all)
    yield _behind("batch: one model output for all", rows, _first_of_all)
    yield _behind("batch: answers in reverse order", answer, _reversed)
    yield _behind("batch: last answer repeated", answer, _repeated)


def fixed_size_mutations(model: onnx.ModelProto) -> Iterator[FormMutation]:
    """Of a pipeline for one size: another size, and pictures that are upside down."""
    image = model.graph.input[0]
    sides = [dim.dim_value for dim in image.type.tensor_type.shape.dim]
    for axis, side in enumerate(("height", "width")):
        words = f"{image.name} is declared {sides[axis] + 1} pixels in {side}, not {sides[axis]}"
        yield FormMutation(name=f"size: another {side}", detail=words, edit=_resized(axis))
    yield _before("size: upside down", image.name, _reversed)


def _resized(axis: int) -> Callable[[onnx.ModelProto], None]:
    def edit(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_value += 1

    return edit


def _before(name: str, value: str, change: Edit) -> FormMutation:
    """Everything that reads an input reads what the change makes of it."""

    def edit(model: onnx.ModelProto) -> None:
        graph = model.graph
        changed = f"{value}/mutant"
        for node in graph.node:
            node.input[:] = [changed if read == value else read for read in node.input]
        made = change(graph, value)
        rest = list(graph.node)
        del graph.node[:]
        graph.node.extend([*made, *rest])

    return FormMutation(name=name, detail=f"{value} is changed before it is read", edit=edit)


def _behind(name: str, value: str, change: Edit) -> FormMutation:
    """Whoever reads a value gets what the change makes of it; the node that makes it keeps it under another name."""

    def edit(model: onnx.ModelProto) -> None:
        graph, own = model.graph, f"{value}/own"
        ports = {port.name for port in graph.output}
        index = next(at for at, node in enumerate(graph.node) if value in node.output)
        node = graph.node[index]
        node.output[:] = [own if made == value else made for made in node.output]
        made = change(graph, own)
        part = helper.make_graph(made, "mutant", [], [])
        rename(part, lambda read: value if read == f"{own}/mutant" else read)
        assert value in ports or any(value in other.input for other in graph.node)
        rest = list(graph.node)
        del graph.node[:]
        graph.node.extend([*rest[: index + 1], *part.node, *rest[index + 1 :]])

    return FormMutation(name=name, detail=f"{value} is changed after it is made", edit=edit)


def _constant(graph: onnx.GraphProto, name: str, *values: int) -> str:
    graph.initializer.append(numpy_helper.from_array(np.array(values, np.int64), name))
    return name


def _slice(graph: onnx.GraphProto, value: str, result: str, *, start: int, stop: int, step: int = 1) -> onnx.NodeProto:
    numbers = {"start": start, "stop": stop, "axis": 0, "step": step}
    inputs = [_constant(graph, f"{result}/{name}", number) for name, number in numbers.items()]
    return helper.make_node("Slice", [value, *inputs], [result], name=result)


def _reversed(graph: onnx.GraphProto, value: str) -> list[onnx.NodeProto]:
    return [_slice(graph, value, f"{value}/mutant", start=-1, stop=-LAST, step=-1)]


def _shortened(graph: onnx.GraphProto, value: str) -> list[onnx.NodeProto]:
    return [_slice(graph, value, f"{value}/mutant", start=0, stop=-1)]


def _rolled(graph: onnx.GraphProto, value: str) -> list[onnx.NodeProto]:
    parts = [f"{value}/last", f"{value}/others"]
    return [
        _slice(graph, value, parts[0], start=-1, stop=LAST),
        _slice(graph, value, parts[1], start=0, stop=-1),
        helper.make_node("Concat", parts, [f"{value}/mutant"], axis=0, name=f"{value}/mutant"),
    ]


def _repeated(graph: onnx.GraphProto, value: str) -> list[onnx.NodeProto]:
    """The last one is the one before it."""
    parts = [f"{value}/others", f"{value}/before"]
    return [
        _slice(graph, value, parts[0], start=0, stop=-1),
        _slice(graph, value, parts[1], start=-2, stop=-1),
        helper.make_node("Concat", parts, [f"{value}/mutant"], axis=0, name=f"{value}/mutant"),
    ]


def _first_of_all(graph: onnx.GraphProto, value: str) -> list[onnx.NodeProto]:
    first, shape = f"{value}/first", f"{value}/shape"
    return [
        _slice(graph, value, first, start=0, stop=1),
        helper.make_node("Shape", [value], [shape], name=shape),
        helper.make_node("Expand", [first, shape], [f"{value}/mutant"], name=f"{value}/mutant"),
    ]
