"""What a graph says about itself, as evidence: opset, ops, randomness, local paths, axes."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import onnx
from onnx import numpy_helper

from zoo.api.data import counted
from zoo.api.task import Port, Signature
from zoo.bundle.judge.evidence import GraphFacts
from zoo.bundle.onnx_file.external_data import Weights, is_external
from zoo.bundle.onnx_file.graph import ParsedModel
from zoo.bundle.onnx_file.safety.scan import required_inputs

_RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
)
_PATH = re.compile(r"""(?:^|[\s"'(=])(?:/[\w.+-]+){2,}/?|[A-Za-z]:\\\w|site-packages|\.py\b""")
_NAME = re.compile(r"[A-Za-z_]\w*")
_FORMULA = re.compile(r"(?:[\w ()+-]|(?<!\*)\*(?!\*)|/)+", re.ASCII)
"""Sums, products and quotients of names and numbers; no powers, which could be without end."""
MAX_FORMULA, MAX_AXES = 100, 3
TRIED_SIZES = (1, 2, 3, 5, 8, 13, 33)


def graph_facts(model: onnx.ModelProto, *, opset_asked: int, weights: Weights | None = None) -> GraphFacts:
    """The facts that need no run; `weights` are those beside the graph, which belong to it."""
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
        external=() if weights is not None else tuple(t.name for t in walk.tensors if is_external(t)),
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
            yield f"{port.name} has {counted(len(dims), 'axis', 'axes')}, not {len(port.shape)}"
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


def arithmetic(model: onnx.ModelProto, declared: Sequence[str], signature: Signature) -> tuple[str, ...]:
    """Output dimensions that are computed from others, "features[2] = s53//4", unless declared.

    A formula that is just the declared axis, "(length*batch + length - 1)//length" for "batch", is no other size.
    """
    axes = {port.name: port.shape for port in signature.outputs}
    return tuple(
        f"{value.name}[{axis}] = {dim.dim_param}"
        for value in model.graph.output
        if value.name not in declared
        for axis, dim in enumerate(value.type.tensor_type.shape.dim)
        if dim.dim_param and not _NAME.fullmatch(dim.dim_param)
        if not _is_axis(dim.dim_param, axes.get(value.name, ()), axis)
    )


def _is_axis(formula: str, shape: Sequence[int | str], axis: int) -> bool:
    """Whether a formula gives the size of the declared axis, whatever the sizes of all axes are."""
    name = shape[axis] if axis < len(shape) else None
    if not isinstance(name, str) or not _FORMULA.fullmatch(formula) or len(formula) > MAX_FORMULA:
        return False
    names = sorted(set(_NAME.findall(formula)))
    if name not in names or len(names) > MAX_AXES:
        return False
    import sympy  # type: ignore[import-untyped]  # noqa: PLC0415  slow to import; most shapes are no formulas

    try:
        expression = sympy.sympify(formula, locals={symbol: sympy.Symbol(symbol) for symbol in names})
    except (sympy.SympifyError, TypeError, AttributeError):
        return False
    grid = itertools.product(TRIED_SIZES, repeat=len(names))
    points = (dict(zip(names, sizes, strict=True)) for sizes in grid)
    return all(expression.subs(point) == point[name] for point in points)
