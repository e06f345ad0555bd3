"""Edits of graphs: each gives a mutated copy, or None where the graph has nothing of its kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from zoo_export.capture.onnx_graph import copy_of
from zoo_export.controls.graph_edits import ON_MODEL
from zoo_export.controls.postprocess_edits import ON_POSTPROCESS

Array = np.ndarray[Any, Any]
Edit = Callable[[onnx.ModelProto], onnx.ModelProto | None]
Place = Literal["first", "middle", "last"]

LAYERS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul", "GRU", "LSTM"})
ACTIVATIONS = {
    "Relu": "LeakyRelu",
    "HardSwish": "Relu",
    "Erf": "Tanh",
    "Sigmoid": "HardSigmoid",
    "Gelu": "Relu",
    "Tanh": "Sigmoid",
}


def layers(model: onnx.ModelProto) -> Iterator[tuple[onnx.NodeProto, onnx.TensorProto]]:
    """Layers with their float weight, in the order of the graph; matrices that only shape numbers are none."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        found = [tensors[name] for name in node.input if name in tensors] if node.op_type in LAYERS else []
        for tensor in found[:1]:
            if tensor.data_type == TensorProto.FLOAT and len(tensor.dims) >= 2:
                yield node, tensor


def pick(model: onnx.ModelProto, place: Place) -> tuple[onnx.NodeProto, onnx.TensorProto] | None:
    """One layer."""
    found = list(layers(model))
    return found[{"first": 0, "middle": len(found) // 2, "last": -1}[place]] if found else None


def on_weight(place: Place, change: Callable[[Array], Array]) -> Edit:
    """Replace the weight of one layer."""

    def edit(model: onnx.ModelProto) -> onnx.ModelProto | None:
        copy = copy_of(model)
        found = pick(copy, place)
        return None if found is None else _set(copy, found[1], change)

    return edit


def on_all_weights(change: Callable[[Array], Array]) -> Edit:
    """Replace the weight of every layer."""

    def edit(model: onnx.ModelProto) -> onnx.ModelProto | None:
        copy = copy_of(model)
        for _, tensor in list(layers(copy)):
            _set(copy, tensor, change)
        return copy

    return edit


def _set(model: onnx.ModelProto, tensor: onnx.TensorProto, change: Callable[[Array], Array]) -> onnx.ModelProto:
    values = np.ascontiguousarray(change(numpy_helper.to_array(tensor).copy()), dtype=np.float32)
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    return model


def generic(name: str) -> Edit:
    """One of the mutations of every proof."""

    def edit(model: onnx.ModelProto) -> onnx.ModelProto | None:
        mutated = ON_MODEL[name](model)
        return None if mutated is None else mutated.model

    return edit


def generic_postprocess(name: str) -> Edit:
    """One of the mutations of every postprocess."""

    def edit(model: onnx.ModelProto) -> onnx.ModelProto | None:
        mutated = ON_POSTPROCESS[name](model)
        return None if mutated is None else mutated.model

    return edit


def on_node(kinds: Sequence[str], change: Callable[[onnx.ModelProto, onnx.NodeProto], object], *, at: int = 0) -> Edit:
    """Change one node of some kinds, in place."""

    def edit(model: onnx.ModelProto) -> onnx.ModelProto | None:
        copy = copy_of(model)
        found = [node for node in copy.graph.node if node.op_type in kinds]
        if len(found) <= max(at, -at - 1):
            return None
        return None if change(copy, found[at]) is False else copy

    return edit


def after_input(*nodes: onnx.NodeProto, constants: Sequence[onnx.TensorProto] = ()) -> Edit:
    """Put nodes from "given" to "changed" behind the first input, where it is a picture."""

    def edit(model: onnx.ModelProto) -> onnx.ModelProto | None:
        copy = copy_of(model)
        if not _is_picture(copy.graph.input[0]):
            return None
        name = copy.graph.input[0].name
        for node in copy.graph.node:
            node.input[:] = ["mutant/changed" if one == name else one for one in node.input]
        for place, node in enumerate(nodes):
            fresh = onnx.NodeProto()
            fresh.CopyFrom(node)
            fresh.input[:] = [name if one == "given" else f"mutant/{one}" for one in node.input]
            fresh.output[:] = [f"mutant/{one}" for one in node.output]
            copy.graph.node.insert(place, fresh)
        return _with_constants(copy, constants)

    return edit


def _is_picture(value: onnx.ValueInfoProto) -> bool:
    """uint8 [height, width, 3], or normalised [batch, channels, height, width]."""
    kind = value.type.tensor_type
    return (kind.elem_type, len(kind.shape.dim)) in ((TensorProto.UINT8, 3), (TensorProto.FLOAT, 4))


def before_output(*nodes: onnx.NodeProto, constants: Sequence[onnx.TensorProto] = (), rank: int = 1) -> Edit:
    """Put nodes from "given" to "changed" before the first output, where it is a float of at least that rank."""

    def edit(model: onnx.ModelProto) -> onnx.ModelProto | None:
        copy = copy_of(model)
        output = copy.graph.output[0]
        kind = output.type.tensor_type
        if kind.elem_type != TensorProto.FLOAT or len(kind.shape.dim) < rank:
            return None
        for node in copy.graph.node:
            node.output[:] = ["mutant/given" if one == output.name else one for one in node.output]
            node.input[:] = ["mutant/given" if one == output.name else one for one in node.input]
        for node in nodes:
            fresh = copy.graph.node.add()
            fresh.CopyFrom(node)
            fresh.input[:] = [f"mutant/{one}" for one in node.input]
            fresh.output[:] = [output.name if one == "changed" else f"mutant/{one}" for one in node.output]
        return _with_constants(copy, constants)

    return edit


def _with_constants(model: onnx.ModelProto, constants: Sequence[onnx.TensorProto]) -> onnx.ModelProto:
    for tensor in constants:
        fresh = model.graph.initializer.add()
        fresh.CopyFrom(tensor)
        fresh.name = f"mutant/{tensor.name}"
    return model


def number(name: str, *values: float) -> onnx.TensorProto:
    """A float constant; a scalar where there is one value."""
    array = np.array(values, np.float32)
    return numpy_helper.from_array(array[0] if len(values) == 1 else array, name)


def whole(name: str, *values: int) -> onnx.TensorProto:
    """An int64 vector."""
    return numpy_helper.from_array(np.array(values, np.int64), name)


node = helper.make_node


# --- what is done to a weight ---


def percent(values: Array) -> Array:
    """The largest weight 1 % larger."""
    place = np.unravel_index(np.abs(values).argmax(), values.shape)
    values[place] *= 1.01
    return values


def exchanged(values: Array) -> Array:
    """The two strongest filters exchanged."""
    rows = _filters(values)
    one, two = np.abs(rows).sum(1).argsort()[-2:]
    rows[[one, two]] = rows[[two, one]]
    return values


def _filters(values: Array) -> Array:
    """A view of the weights, a filter in every row; of a recurrent layer those of its one direction."""
    whole = values[0] if values.ndim == 3 and len(values) == 1 else values
    return whole.reshape(len(whole), -1) if len(whole) > 1 else whole.reshape(-1, 1)


def silenced(values: Array) -> Array:
    """The strongest filter zero."""
    rows = _filters(values)
    rows[np.abs(rows).sum(1).argmax()] = 0
    return values


def noisy(values: Array) -> Array:
    """A hundred-thousandth of noise on every weight."""
    return np.asarray(values * (1 + 1e-5 * np.random.default_rng(0).standard_normal(values.shape)))


def trained_on(values: Array) -> Array:
    """As after another training step."""
    return np.asarray(values + 1e-3 * values.std() * np.random.default_rng(0).standard_normal(values.shape))


def half(values: Array) -> Array:
    """float16 and back."""
    return values.astype(np.float16)


def kept_bits(bits: int) -> Callable[[Array], Array]:
    """float32 with fewer bits of mantissa: bfloat16 keeps 7, TF32 keeps 10."""
    drop = 23 - bits

    def change(values: Array) -> Array:
        raw = values.astype(np.float32).view(np.uint32)
        return ((raw + (1 << (drop - 1))) >> drop << drop).astype(np.uint32).view(np.float32)

    return change


def int8(values: Array) -> Array:
    """256 steps and back."""
    step = np.abs(values).max() / 127
    return np.asarray(np.round(values / step) * step)


def transposed(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """The first square matrix, or layer of as many filters as channels, turned round."""
    copy = copy_of(model)
    for _, tensor in layers(copy):
        if tensor.dims[0] == tensor.dims[1]:
            return _set(copy, tensor, lambda values: np.swapaxes(values, 0, 1))
    return None


# --- what is done to a node ---


def other_activation(model: onnx.ModelProto, found: onnx.NodeProto) -> None:
    found.op_type = ACTIVATIONS[found.op_type]


def left_out(model: onnx.ModelProto, found: onnx.NodeProto) -> None:
    found.op_type = "Identity"
    del found.attribute[:]
    del found.input[1:]


def attribute(name: str, value: Any) -> Callable[[onnx.ModelProto, onnx.NodeProto], None]:
    """Set one attribute."""

    def change(model: onnx.ModelProto, found: onnx.NodeProto) -> None:
        kept = [one for one in found.attribute if one.name != name]
        del found.attribute[:]
        found.attribute.extend([*kept, helper.make_attribute(name, value)])

    return change


def averaging(model: onnx.ModelProto, found: onnx.NodeProto) -> None:
    found.op_type = "AveragePool"
    kept = [one for one in found.attribute if one.name in ("kernel_shape", "strides", "pads", "ceil_mode")]
    del found.attribute[:]
    found.attribute.extend(kept)


def through_half(model: onnx.ModelProto, found: onnx.NodeProto) -> None:
    """The output of a node through float16."""
    name = found.output[0]
    found.output[0] = "mutant/wide"
    at = list(model.graph.node).index(found) + 1
    model.graph.node.insert(at, node("Cast", ["mutant/narrow"], [name], to=TensorProto.FLOAT))
    model.graph.node.insert(at, node("Cast", ["mutant/wide"], ["mutant/narrow"], to=TensorProto.FLOAT16))


def live_dropout(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """A Dropout node in training mode behind the middle layer; ONNX Runtime leaves it out, other runtimes do not."""
    copy = copy_of(model)
    found = pick(copy, "middle")
    if found is None:
        return None
    layer = found[0]
    name = layer.output[0]
    layer.output[0] = "mutant/before"
    inputs = ["mutant/before", "mutant/ratio", "mutant/mode"]
    copy.graph.node.insert(list(copy.graph.node).index(layer) + 1, node("Dropout", inputs, [name]))
    mode = numpy_helper.from_array(np.array(True), "mode")
    return _with_constants(copy, [number("ratio", 0.5), mode])


def shifted_padding(model: onnx.ModelProto, found: onnx.NodeProto) -> bool | None:
    """All of the padding on one side."""
    pads = next((list(one.ints) for one in found.attribute if one.name == "pads"), [])
    if len(pads) != 4 or not any(pads):
        return False
    return attribute("pads", [0, 0, pads[0] + pads[2], pads[1] + pads[3]])(model, found)


def bare_shortcut(model: onnx.ModelProto, found: onnx.NodeProto) -> bool | None:
    """A sum of two activations without its second part."""
    if any(tensor.name in found.input for tensor in model.graph.initializer):
        return False
    left_out(model, found)
    return None


def residual(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """The last sum of two activations without its second part."""
    adds = sum(one.op_type == "Add" for one in model.graph.node)
    made = (on_node(["Add"], bare_shortcut, at=-1 - at)(model) for at in range(adds))
    return next((one for one in made if one is not None), None)


def sharper_attention(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Scores of the first attention 1 % larger."""
    if not any(one.op_type == "Softmax" for one in model.graph.node):
        return None
    copy = copy_of(model)
    at, found = next((at, one) for at, one in enumerate(copy.graph.node) if one.op_type == "Softmax")
    copy.graph.node.insert(at, node("Mul", [found.input[0], "mutant/by"], ["mutant/scores"]))
    copy.graph.node[at + 1].input[0] = "mutant/scores"
    return _with_constants(copy, [number("by", 1.01)])


# --- what is done to a file ---


def frozen(size: int) -> Edit:
    """The first axis of every input declared to have one size."""

    def edit(model: onnx.ModelProto) -> onnx.ModelProto:
        copy = copy_of(model)
        for value in (*copy.graph.input, *copy.graph.output):
            value.type.tensor_type.shape.dim[0].dim_value = size
        return copy

    return edit


def on_file(change: Callable[[onnx.ModelProto], object]) -> Edit:
    """Change what the file says about itself."""

    def edit(model: onnx.ModelProto) -> onnx.ModelProto:
        copy = copy_of(model)
        change(copy)
        return copy

    return edit


def extra_output(model: onnx.ModelProto) -> None:
    """The first output goes out a second time, before the first."""
    kept = model.graph.output[0]
    again = onnx.ValueInfoProto()
    again.CopyFrom(kept)
    again.name = "mutant/again"
    model.graph.node.append(node("Identity", [kept.name], [again.name]))
    model.graph.output.insert(0, again)


def newer_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 20


def foreign_domain(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def local_path(model: onnx.ModelProto) -> None:
    model.graph.node[0].doc_string = 'File "/home/me/secret/train.py", line 7, in forward'


def renamed_classes(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """The first two class names exchanged in the metadata."""
    copy = copy_of(model)
    for entry in copy.metadata_props:
        names = json.loads(entry.value) if entry.key == "zoo.classes" else []
        if len(names) > 1:
            entry.value = json.dumps([names[1], names[0], *names[2:]])
            return copy
    return None


def without_classes(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """No class names in the metadata."""
    copy = copy_of(model)
    kept = [entry for entry in copy.metadata_props if entry.key != "zoo.classes"]
    del copy.metadata_props[:]
    copy.metadata_props.extend(kept)
    return copy


# --- what is done to the preparing ---


def on_numbers(change: Callable[[Array, Array], tuple[Array, Array]]) -> Edit:
    """Change mean and std."""

    def edit(model: onnx.ModelProto) -> onnx.ModelProto | None:
        copy = copy_of(model)
        tensors = {tensor.name: tensor for tensor in copy.graph.initializer}
        if "ends/prepare.mean" not in tensors:
            return None
        mean, std = tensors["ends/prepare.mean"], tensors["ends/prepare.std"]
        for tensor, values in zip((mean, std), change(*map(numpy_helper.to_array, (mean, std))), strict=True):
            _set(copy, tensor, lambda _, values=values: values)  # type: ignore[misc]
        return copy

    return edit


def every(kind: str, change: Callable[[onnx.ModelProto, onnx.NodeProto], object]) -> Edit:
    """Change every node of a kind."""

    def edit(model: onnx.ModelProto) -> onnx.ModelProto | None:
        copy = copy_of(model)
        nodes = [one for one in copy.graph.node if one.op_type == kind]
        for found in nodes:
            change(copy, found)
        return copy if nodes else None

    return edit


def resized(change: Callable[[onnx.ModelProto], onnx.ModelProto | None]) -> Edit:
    """Change how pictures are resized."""
    return change


def first_exchanged(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """The first two numbers of every vector that goes out first, exchanged."""
    dims = model.graph.output[0].type.tensor_type.shape.dim
    size = dims[-1].dim_value if dims else 0
    if size < 2:
        return None
    order = whole("order", 1, 0, *range(2, size))
    return before_output(node("Gather", ["given", "order"], ["changed"], axis=-1), constants=[order])(model)


def last_row(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """The last row of an embedding a hundredth off: few texts hold that token."""
    copy = copy_of(model)
    tables = {found.input[0] for found in copy.graph.node if found.op_type == "Gather"}
    for tensor in copy.graph.initializer:
        if tensor.name in tables and len(tensor.dims) == 2 and tensor.data_type == TensorProto.FLOAT:
            values = numpy_helper.to_array(tensor).copy()
            values[-1] *= 1.01
            return _set(copy, tensor, lambda _, values=values: values)  # type: ignore[misc]
    return None


def clipped_at_six(model: onnx.ModelProto, found: onnx.NodeProto) -> None:
    """No activation above six, as in ReLU6."""
    name = found.output[0]
    found.output[0] = "mutant/unclipped"
    index = list(model.graph.node).index(found) + 1
    model.graph.node.insert(index, node("Clip", ["mutant/unclipped", "", "mutant/six"], [name]))
    _with_constants(model, [number("six", 6.0)])
