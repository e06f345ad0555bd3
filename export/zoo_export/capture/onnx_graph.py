"""What a graph says about itself: the exporter's traces out (they hold local paths), zoo's facts in."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Collection, Iterator, Mapping

import onnx

from zoo.api.task import Signature

PREFIX = "zoo."
LARGE_BYTES = 4_096
"""Of a weight: facts about a graph are read from smaller ones, as the sizes of a shape."""
_SCOPES = "pkg.torch.onnx.name_scopes"


def copy_of(model: onnx.ModelProto) -> onnx.ModelProto:
    """An independent copy."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def subgraphs(node: onnx.NodeProto) -> list[onnx.GraphProto]:
    """The graphs inside a node: branches of an If, the body of a Loop."""
    return [inner for a in node.attribute for inner in ([a.g] if a.HasField("g") else list(a.graphs))]


def nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Every node, those of subgraphs included."""
    for node in graph.node:
        yield node
        for inner in subgraphs(node):
            yield from nodes(inner)


def module_paths(model: onnx.ModelProto) -> dict[str, str]:
    """Value name to the path of the module whose forward made it, from the exporter's metadata."""
    paths = {}
    for node in nodes(model.graph):
        scopes = next((entry.value for entry in node.metadata_props if entry.key == _SCOPES), None)
        if scopes is not None:
            parents = ast.literal_eval(scopes)[:-1]
            paths.update(dict.fromkeys(node.output, parents[-1] if parents else ""))
    return paths


def strip(model: onnx.ModelProto) -> None:
    """Remove documentation and metadata everywhere, and the values' intermediate shapes; names and numbers stay."""
    model.doc_string = ""
    del model.metadata_props[:]
    _strip_graph(model.graph)
    for node in nodes(model.graph):
        node.doc_string = ""
        del node.metadata_props[:]
        for attribute in node.attribute:
            attribute.doc_string = ""
        for inner in subgraphs(node):
            _strip_graph(inner)
    for function in model.functions:
        function.doc_string = ""
        del function.metadata_props[:]
        for node in function.node:
            node.doc_string = ""
            del node.metadata_props[:]


def _strip_graph(graph: onnx.GraphProto) -> None:
    graph.doc_string = ""
    del graph.metadata_props[:]
    del graph.value_info[:]
    for value in (*graph.input, *graph.output):
        value.doc_string = ""
        del value.metadata_props[:]
    for tensor in graph.initializer:
        tensor.doc_string = ""
        del tensor.metadata_props[:]


def name_axes(model: onnx.ModelProto, signature: Signature, outputs: Collection[str]) -> None:
    """Give computed axes of these outputs ("Min(20, u1)") the names that the signature has for them.

    Other runtimes take the name of an axis for an identifier.  Outputs that do not declare such axes keep them, so that
    the proof finds them.
    """
    shapes = {port.name: port.shape for port in signature.outputs if port.name in outputs}
    for value in model.graph.output:
        for dim, size in zip(value.type.tensor_type.shape.dim, shapes.get(value.name, ()), strict=False):
            if dim.dim_param and not dim.dim_param.isidentifier() and isinstance(size, str):
                dim.dim_param = size


def describe(model: onnx.ModelProto, facts: Mapping[str, str]) -> None:
    """Write facts into the model's metadata, each key under "zoo."."""
    for key, value in facts.items():
        model.metadata_props.add(key=PREFIX + key, value=value)


def hash_weights(model: onnx.ModelProto) -> None:
    """Put the digest of each large weight in the place of its numbers: equal graphs stay equal, and take no memory."""
    for tensor in model.graph.initializer:
        if len(tensor.raw_data) > LARGE_BYTES:
            tensor.raw_data = hashlib.sha256(tensor.raw_data).digest()
