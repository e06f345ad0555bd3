"""Reasons not to load an untrusted graph, a sentence each.

External data read other files, hard links get past the checks for that (ONNX Runtime 1.31 follows them), foreign
domains need foreign code, a loop without a bound never ends, and 93 bytes can ask for 256 GB.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.bundle.runtime.graph import ParsedModel

if TYPE_CHECKING:
    import onnx

OWN_DOMAINS = frozenset({"", "ai.onnx"})
MAX_NODES = 200_000
MAX_NESTING = 16
MAX_TURNS = 1 << 20
"""Of a loop with a constant trip count."""
MAX_ELEMENTS = 1 << 30
"""Of one tensor, stored or made out of nothing."""
_SHAPE_INPUT = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1}


def hazards(model: ParsedModel, path: Path, *, opset: int, domains: tuple[str, ...]) -> Iterator[str]:
    """What speaks against loading the file at `path`."""
    foreign = sorted(set(domains) - OWN_DOMAINS)
    if foreign:
        yield f"its operators come from {', '.join(foreign)}, which means loading foreign code"
    if opset <= 0:
        yield "it names no opset"
    yield from _outside(model, path)
    if len(model.nodes) > MAX_NODES:
        yield f"it has {len(model.nodes):,} nodes; {MAX_NODES:,} is the limit"
    if max((depth for _, depth in model.nodes), default=0) > MAX_NESTING:
        yield f"its subgraphs are nested deeper than {MAX_NESTING}"
    yield from _malformed(model)
    yield from _endless(model)
    yield from _inflated(model)


def _outside(model: ParsedModel, path: Path) -> Iterator[str]:
    places: dict[str, str] = {}
    for tensor in model.tensors:
        location = next((entry.value for entry in tensor.external_data if entry.key == "location"), None)
        if location is not None or tensor.data_location == tensor.EXTERNAL:
            places.setdefault(location or "nowhere", tensor.name)
    for place, name in list(places.items())[:4]:
        yield f"the tensor {name!r} lies outside the file, in {place!r}{_link(path.parent / place)}"


def _malformed(model: ParsedModel) -> Iterator[str]:
    """Stored tensors whose bytes are not what their type and shape need, or that have no known type."""
    for tensor in model.tensors:
        width = _width(tensor.data_type)
        needed = math.prod(tensor.dims) * (width or 0)
        if width is None:
            yield f"the tensor {tensor.name!r} is of the unknown type {tensor.data_type}"
        elif width and tensor.HasField("raw_data") and len(tensor.raw_data) != needed:
            yield f"the tensor {tensor.name!r} holds {len(tensor.raw_data):,} bytes where its shape needs {needed:,}"


def _width(data_type: int) -> int | None:
    """Bytes of one element; 0 where elements are packed or of no fixed width, None for an unknown type."""
    from onnx import TensorProto, helper  # noqa: PLC0415  this file is imported where only types are wanted

    if data_type not in TensorProto.DataType.values():
        return None
    if data_type in (TensorProto.UNDEFINED, TensorProto.STRING):
        return 0
    name = TensorProto.DataType.Name(data_type)
    packed = name.endswith(("INT4", "INT2", "4E2M1"))
    return 0 if packed else int(helper.tensor_dtype_to_np_dtype(data_type).itemsize)


def _link(place: Path) -> str:
    try:
        status = os.lstat(place)
    except (OSError, ValueError):
        return ""
    if stat.S_ISLNK(status.st_mode):
        return ", a symbolic link"
    return ", a hard link to a file that has another name too" if status.st_nlink > 1 else ""


def _endless(model: ParsedModel) -> Iterator[str]:
    for node, _ in model.nodes:
        if node.op_type != "Loop":
            continue
        if not node.input or not node.input[0]:
            yield f"the loop {node.name!r} has no bound and may run for ever"
        elif max(model.constants.get(node.input[0], ()), default=0) > MAX_TURNS:
            yield f"the loop {node.name!r} may run more than a million times"


def _inflated(model: ParsedModel) -> Iterator[str]:
    for tensor in model.tensors:
        if any(dim < 0 for dim in tensor.dims) or math.prod(tensor.dims) > MAX_ELEMENTS:
            yield f"the tensor {tensor.name!r} claims the shape {list(tensor.dims)}"
    for node, _ in model.nodes:
        elements = math.prod(_made(model, node))
        if elements > MAX_ELEMENTS:
            yield f"the {node.op_type} node {node.name!r} makes {elements:,} elements out of nothing"


def _made(model: ParsedModel, node: onnx.NodeProto) -> tuple[int, ...]:
    """The sizes that constants in the file tell a node to make; (0,) where they depend on inputs."""
    if node.op_type in ("RandomNormal", "RandomUniform"):
        return next((tuple(a.ints) for a in node.attribute if a.name == "shape"), (0,))
    which = _SHAPE_INPUT.get(node.op_type)
    if which is None or len(node.input) <= which:
        return (0,)
    return model.constants.get(node.input[which], (0,))
