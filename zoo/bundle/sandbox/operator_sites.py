"""Where an operator stands that a runtime does not take: its nodes, and the module that the nearest weights name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from zoo.api.errors import BadFile

AROUND = "ends/"
"""How the names of nodes begin that pipeline.onnx has before and after the model."""

if TYPE_CHECKING:
    import onnx


def operator_sites(data: bytes, operator: str, node: str = "") -> str:
    """The nodes of an operator in a graph with the module of the first: "IsNaN, 2 nodes, the first beside encoder.0".

    Weights keep the names of the model's state_dict in the file, so that the nearest one names the module.
    """
    import onnx  # noqa: PLC0415  only where a runtime refused a graph
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        graph = onnx.ModelProto.FromString(data).graph
    except DecodeError as error:
        raise BadFile("the graph that a runtime refused is not an ONNX file") from error
    sites = [index for index, other in enumerate(graph.node) if other.op_type == operator]
    sites = [index for index in sites if graph.node[index].name == node] or sites
    if not sites:
        return operator
    module = _nearest_module(graph, sites[0])
    where = f", in or beside the module {module}" if module else ""
    if graph.node[sites[0]].name.startswith(AROUND):
        where = ", of the preprocess or the postprocess"
    if len(sites) == 1:
        return f"{operator} (node {graph.node[sites[0]].name}{where})"
    return f"{operator} ({len(sites)} nodes, the first is {graph.node[sites[0]].name}{where})"


def _nearest_module(graph: onnx.GraphProto, start: int) -> str:
    """The module of the weight with the fewest nodes between; empty where the graph has no weight of a module."""
    weights = {tensor.name for tensor in graph.initializer if "." in tensor.name}
    made_by = {name: index for index, node in enumerate(graph.node) for name in node.output}
    used_by: dict[str, list[int]] = {}
    for index, node in enumerate(graph.node):
        for name in node.input:
            used_by.setdefault(name, []).append(index)

    def neighbours(index: int) -> Iterator[int]:
        for name in graph.node[index].output:
            yield from used_by.get(name, ())
        for name in graph.node[index].input:
            if name in made_by:
                yield made_by[name]

    seen, level = {start}, [start]
    while level:
        for index in level:
            for name in graph.node[index].input:
                if name in weights:
                    return str(name).rpartition(".")[0]
        level = [other for index in level for other in neighbours(index) if not (other in seen or seen.add(other))]  # type: ignore[func-returns-value]
    return ""
