"""What a graph says about itself, as evidence: opset, ops, randomness, local paths, axes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import onnx
from onnx import numpy_helper

from zoo.api.task import Port, Signature
from zoo.bundle.judge.evidence import GraphFacts
from zoo.bundle.runtime.graph import ParsedModel
from zoo.bundle.runtime.safety.scan import required_inputs

_RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
)
_PATH = re.compile(r"""(?:^|[\s"'(=])(?:/[\w.+-]+){2,}/?|[A-Za-z]:\\\w|site-packages|\.py\b""")
_NAME = re.compile(r"[A-Za-z_]\w*")


def graph_facts(model: onnx.ModelProto, *, opset_asked: int) -> GraphFacts:
    """The facts that need no run."""
    walk = ParsedModel(model)
    every = [node for node, _ in walk.nodes]
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    opset = opsets.get("", opsets.get("ai.onnx", 0))
    return GraphFacts(
        opset=opset,
        opset_asked=opset_asked,
        ir_version=model.ir_version,
        ops=dict(Counter(f"{node.domain}::{node.op_type}" if node.domain else node.op_type for node in every)),
        domains=tuple(sorted({*opsets, *(node.domain for node in every)})),
        forbidden=tuple(
            sorted({node.op_type for node in every if not onnx.defs.has(node.op_type, opset, node.domain)})
        ),
        random=tuple(_random(model, every)),
        paths=tuple(sorted({" ".join(text.split())[:120] for text in _texts(model, every) if _PATH.search(text)})),
        external=tuple(t.name for t in walk.tensors if t.external_data or t.data_location == onnx.TensorProto.EXTERNAL),
    )


def _random(model: onnx.ModelProto, every: Sequence[onnx.NodeProto]) -> Iterator[str]:
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer if not t.dims}
    constants |= {
        node.output[0]: numpy_helper.to_array(attribute.t)
        for node in every
        if node.op_type == "Constant"
        for attribute in node.attribute
        if attribute.HasField("t") and not attribute.t.dims
    }
    for node in every:
        if node.op_type in _RANDOM:
            yield f"{node.op_type} {node.name}"
        elif node.op_type == "Dropout" and len(node.input) > 2 and node.input[2]:
            mode = constants.get(node.input[2])
            if mode is None or bool(np.any(mode)):
                yield f"live Dropout {node.name}"
        elif node.op_type == "BatchNormalization" and any(a.name == "training_mode" and a.i for a in node.attribute):
            yield f"BatchNormalization in training mode {node.name}"


def _texts(model: onnx.ModelProto, every: Sequence[onnx.NodeProto]) -> Iterator[str]:
    yield from (model.producer_name, model.producer_version, model.doc_string, model.graph.doc_string)
    yield from (entry.value for entry in (*model.metadata_props, *model.graph.metadata_props))
    for node in every:
        yield from (node.doc_string, *(entry.value for entry in node.metadata_props))
        yield from (attribute.doc_string for attribute in node.attribute)
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info, *model.graph.initializer):
        yield from (value.doc_string, *(entry.value for entry in value.metadata_props))


def declared_axes(model: onnx.ModelProto, signature: Signature) -> tuple[str, ...]:
    """Where the file's ports differ from the signature, a sentence each."""
    wrong = list(_differences(required_inputs(model.graph), signature.inputs, exact=True))
    return (*wrong, *_differences(model.graph.output, signature.outputs, exact=False))


def _differences(values: Sequence[onnx.ValueInfoProto], ports: Sequence[Port], *, exact: bool) -> Iterator[str]:
    by_name = {value.name: value.type.tensor_type for value in values}
    names, declared = [value.name for value in values], [port.name for port in ports]
    if names != declared and set(declared) <= set(names):
        yield f"the file has {', '.join(names)} in this order, not {', '.join(declared)}"
    for port in ports:
        if port.name not in by_name:
            yield f"the file has no {port.name}"
            continue
        dims, dtype = by_name[port.name].shape.dim, _dtype(by_name[port.name].elem_type)
        if dtype != port.dtype:
            yield f"{port.name} is {dtype}, not {port.dtype}"
        if len(dims) != len(port.shape):
            yield f"{port.name} has {len(dims)} axes, not {len(port.shape)}"
            continue
        for axis, (size, dim) in enumerate(zip(port.shape, dims, strict=True)):
            frozen = isinstance(size, str) and dim.HasField("dim_value")
            loose = exact and isinstance(size, int) and dim.dim_value != size
            if frozen or loose:
                yield f"{port.name}[{axis}] is {dim.dim_value or dim.dim_param or '?'}, not {size}"


def _dtype(number: int) -> str:
    try:
        return str(onnx.helper.tensor_dtype_to_np_dtype(number).name)
    except (KeyError, ValueError):
        return f"type {number}"


def arithmetic(model: onnx.ModelProto, declared: Sequence[str]) -> tuple[str, ...]:
    """Output dimensions that are computed from others, "features[2] = s53//4", unless declared."""
    return tuple(
        f"{value.name}[{axis}] = {dim.dim_param}"
        for value in model.graph.output
        if value.name not in declared
        for axis, dim in enumerate(value.type.tensor_type.shape.dim)
        if dim.dim_param and not _NAME.fullmatch(dim.dim_param)
    )
