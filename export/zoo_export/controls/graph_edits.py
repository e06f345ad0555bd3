"""Mutations: edits of an ONNX graph, each of which makes one thing wrong that a proof must notice.

A mutation returns None where the graph has nothing of its kind, and raises nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper, numpy_helper

from zoo.bundle.onnx_file.external_data import Weights, is_external, numbers
from zoo_export.capture.onnx_graph import copy_of, nodes
from zoo_export.controls.resize_edits import nearest


@dataclass(frozen=True, slots=True)
class Mutated:
    """A copy of a graph with one thing wrong."""

    model: onnx.ModelProto
    detail: str
    """What was changed, in words."""


Mutation = Callable[[onnx.ModelProto], Mutated | None]
"""A graph to a mutated copy."""

_HALVES = frozenset({onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16})
_FLOATS = frozenset({onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16})
_WEIGHTED = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "RNN"})
SCALE, SCALE_IN_HALF = 1.001, 1.05
"""A thousandth is within the rounding of a model that computes in half precision."""
LEVELS = 1.05


def _weighted(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    """Float weights of two or more dimensions, in graph order: those of layers, or where there are none, any."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer if _is_weight(tensor)}
    layers = (node for node in model.graph.node if node.op_type in _WEIGHTED)
    weights = [tensors[node.input[1]] for node in layers if len(node.input) > 1 and node.input[1] in tensors]
    return weights or [tensors[name] for node in model.graph.node for name in node.input if name in tensors]


def _is_weight(tensor: onnx.TensorProto) -> bool:
    return bool(tensor.data_type in _FLOATS and len(tensor.dims) >= 2)


def _computes_in_half(model: onnx.ModelProto) -> bool:
    """Whether some weight, or the target of a cast, is of half precision."""
    casts = (a.i for node in nodes(model.graph) if node.op_type == "Cast" for a in node.attribute if a.name == "to")
    return any(kind in _HALVES for kind in (*casts, *(tensor.data_type for tensor in model.graph.initializer)))


def _set(tensor: onnx.TensorProto, values: np.ndarray) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), tensor.name))


def weight(model: onnx.ModelProto, layer: int = 0, weights: Weights | None = None) -> Mutated | None:
    """The largest weight of one layer, counted from the first, with its sign changed.

    `weights` is a file beside the graph whose tensors may go into it; without one they are changed by operators.
    """
    copy = copy_of(model)
    for tensor in _weighted(copy)[layer:]:
        if is_external(tensor) and weights is None:
            return _turned_row(copy, tensor)
        values = np.array(numbers(tensor, weights))
        index = np.unravel_index(np.abs(values).argmax(), values.shape)
        if values[index] != 0:
            values[index] = -values[index]
            _set(tensor, values)
            return Mutated(copy, f"the sign of {tensor.name}{[int(i) for i in index]} changed")
    return None


def scale(
    model: onnx.ModelProto, layer: int = 0, weights: Weights | None = None, *, factor: float | None = None
) -> Mutated | None:
    """The weights of one layer, counted from the last, times `factor`.

    Without one they are a thousandth too large, in half precision a twentieth.
    """
    copy = copy_of(model)
    factor = factor or (SCALE_IN_HALF if _computes_in_half(model) else SCALE)
    for tensor in _weighted(copy)[::-1][layer:]:
        if is_external(tensor) and weights is None:
            return _scaled(copy, tensor, factor)
        values = numbers(tensor, weights)
        _set(tensor, (values * np.float32(factor)).astype(values.dtype))
        return Mutated(copy, f"{tensor.name} times {factor:g}")
    return None


# of weights beside the graph: the same file, and operators that make one thing wrong


def _turned_row(copy: onnx.ModelProto, tensor: onnx.TensorProto) -> Mutated:
    """The first row of a weight with its sign changed."""
    name = tensor.name
    for constant, number in (("first", 0), ("second", 1), ("axis", 0), ("end", 2**31)):
        copy.graph.initializer.append(numpy_helper.from_array(np.array([number], np.int64), f"mutation/{constant}"))
    row, rest, turned = "mutation/row", "mutation/rest", "mutation/turned"
    _in_place_of(
        copy,
        name,
        "mutation/weight",
        helper.make_node("Slice", [name, "mutation/first", "mutation/second", "mutation/axis"], [row]),
        helper.make_node("Slice", [name, "mutation/second", "mutation/end", "mutation/axis"], [rest]),
        helper.make_node("Neg", [row], [turned]),
        helper.make_node("Concat", [turned, rest], ["mutation/weight"], axis=0),
    )
    return Mutated(copy, f"the sign of {name}[0] changed")


def _scaled(copy: onnx.ModelProto, tensor: onnx.TensorProto, factor: float) -> Mutated:
    kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    copy.graph.initializer.append(numpy_helper.from_array(np.array(factor, kind), "mutation/factor"))
    scaling = helper.make_node("Mul", [tensor.name, "mutation/factor"], ["mutation/weight"])
    _in_place_of(copy, tensor.name, "mutation/weight", scaling)
    return Mutated(copy, f"{tensor.name} times {factor:g}")


def _in_place_of(copy: onnx.ModelProto, name: str, other: str, *making: onnx.NodeProto) -> None:
    """Have every node read `other`, which these nodes make, in the place of a value."""
    for node in nodes(copy.graph):
        node.input[:] = [other if source == name else source for source in node.input]
    for index, node in enumerate(making):
        copy.graph.node.insert(index, node)


def bias(model: onnx.ModelProto, layer: int = 0, weights: Weights | None = None) -> Mutated | None:
    """A bias that is not zero, counted from the last, dropped."""
    copy = copy_of(model)
    left = layer
    tensors = {tensor.name: tensor for tensor in copy.graph.initializer}
    for node in reversed(copy.graph.node):
        for name in node.input[2:3] if node.op_type in _WEIGHTED else node.input if node.op_type == "Add" else ():
            tensor = tensors.get(name)
            known = tensor is not None and not (is_external(tensor) and weights is None)
            if tensor is not None and known and len(tensor.dims) == 1 and tensor.data_type in _FLOATS:
                values = numbers(tensor, weights)
                if np.any(values) and left == 0:
                    _set(tensor, np.zeros_like(values))
                    return Mutated(copy, f"{tensor.name} set to zero")
                left -= bool(np.any(values))
    return None


def classes(model: onnx.ModelProto, layer: int = 0) -> Mutated | None:
    """The first row of the first output and one after it exchanged, as if the class names had moved."""
    copy = copy_of(model)
    output = copy.graph.output[0]
    dims = output.type.tensor_type.shape.dim
    other = layer + 1
    if len(dims) < 2 or dims[1].dim_value <= other:
        return None
    order = np.arange(dims[1].dim_value)
    order[[0, other]] = [other, 0]
    _insert_before_output(copy, output.name, order, axis=1)
    return Mutated(copy, f"rows 0 and {other} of {output.name} exchanged")


def _insert_before_output(model: onnx.ModelProto, name: str, order: np.ndarray, *, axis: int) -> None:
    inner = f"mutation/{name}"
    for node in model.graph.node:
        node.output[:] = [inner if value == name else value for value in node.output]
        node.input[:] = [inner if value == name else value for value in node.input]
    model.graph.initializer.append(numpy_helper.from_array(order.astype(np.int64), "mutation/order"))
    model.graph.node.append(helper.make_node("Gather", [inner, "mutation/order"], [name], axis=axis))


def batch(model: onnx.ModelProto) -> Mutated | None:
    """Every input's first axis frozen at one."""
    copy = copy_of(model)
    frozen = False
    for value in copy.graph.input:
        dims = value.type.tensor_type.shape.dim
        if dims and dims[0].dim_param:
            dims[0].dim_value = 1
            frozen = True
    return Mutated(copy, "the batch axis frozen at 1") if frozen else None


def training(model: onnx.ModelProto) -> Mutated | None:
    """A dropout that is on, behind the middle layer: half of its values zero, at random, the others doubled.

    Written as single operators, because ONNX Runtime removes a Dropout node whatever its mode is.  Of two layers it is
    the first: the few outputs of the last would too often draw the same twice.  The seed makes every proof the same.
    """
    copy = copy_of(model)
    layers = [index for index, node in enumerate(copy.graph.node) if node.op_type in _WEIGHTED]
    if not layers:
        return None
    middle = layers[(len(layers) - 1) // 2]
    outputs = copy.graph.node[middle].output
    name = next(output for output in outputs if output)
    outputs[:] = [output if output != name else "mutation/before" for output in outputs]
    for constant, value in (("half", 0.5), ("twice", 2.0)):
        copy.graph.initializer.append(numpy_helper.from_array(np.array(value, np.float32), f"mutation/{constant}"))
    added = [
        helper.make_node(
            "RandomUniformLike", ["mutation/before"], ["mutation/random"], dtype=onnx.TensorProto.FLOAT, seed=1.0
        ),
        helper.make_node("Greater", ["mutation/random", "mutation/half"], ["mutation/drawn"]),
        helper.make_node("CastLike", ["mutation/drawn", "mutation/before"], ["mutation/kept"]),
        helper.make_node("Mul", ["mutation/before", "mutation/kept"], ["mutation/thinned"]),
        helper.make_node("CastLike", ["mutation/twice", "mutation/before"], ["mutation/factor"]),
        helper.make_node("Mul", ["mutation/thinned", "mutation/factor"], [name]),
    ]
    for index, node in enumerate(added, middle + 1):
        copy.graph.node.insert(index, node)
    return Mutated(copy, f"a live dropout behind {name}")


def normalisation(preprocess: onnx.ModelProto) -> Mutated | None:
    """The constants of the preprocess, mean and std, 5 % off."""
    copy = copy_of(preprocess)
    changed = []
    for tensor in copy.graph.initializer:
        if is_external(tensor):
            continue
        values = numpy_helper.to_array(tensor)
        if tensor.name.startswith("prepare.") and values.dtype == np.float32 and np.any(values):
            _set(tensor, values * np.float32(LEVELS))
            changed.append(tensor.name.removeprefix("prepare."))
    return Mutated(copy, f"{' and '.join(changed)} times {LEVELS}") if changed else None


def channels(preprocess: onnx.ModelProto) -> Mutated | None:
    """Blue for red."""
    copy = copy_of(preprocess)
    for value in copy.graph.input:
        dims = value.type.tensor_type.shape.dim
        if value.type.tensor_type.elem_type == onnx.TensorProto.UINT8 and dims and dims[-1].dim_value == 3:
            name = value.name
            for node in copy.graph.node:
                node.input[:] = ["mutation/turned" if source == name else source for source in node.input]
            copy.graph.initializer.append(numpy_helper.from_array(np.array([2, 1, 0], np.int64), "mutation/order"))
            turn = helper.make_node("Gather", [name, "mutation/order"], ["mutation/turned"], axis=len(dims) - 1)
            copy.graph.node.insert(0, turn)
            return Mutated(copy, f"the channels of {name} in the order blue, green, red")
    return None


def resize(preprocess: onnx.ModelProto) -> Mutated | None:
    """Nearest neighbours instead of smooth resizing."""
    copy = nearest(preprocess)
    return None if copy is None else Mutated(copy, "nearest neighbours instead of smooth resizing")


ON_MODEL: dict[str, Mutation] = {
    "weight": weight,
    "scale": scale,
    "bias": bias,
    "classes": classes,
    "batch": batch,
    "training": training,
}
ON_PREPROCESS: dict[str, Mutation] = {"normalisation": normalisation, "channels": channels, "resize": resize}
