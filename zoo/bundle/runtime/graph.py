"""What an ONNX file holds: every node, every stored tensor, every small constant, at any depth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

SMALL = 64


@dataclass(frozen=True)
class ParsedModel:
    """One parsed file; what it holds is collected once, when it is wanted."""

    model: onnx.ModelProto

    @cached_property
    def nodes(self) -> tuple[tuple[onnx.NodeProto, int], ...]:
        """Every node with the depth of the subgraph it lies in; those of functions included."""
        collected: list[tuple[onnx.NodeProto, int]] = []
        stack: list[tuple[Sequence[onnx.NodeProto], int]] = [(self.model.graph.node, 0)]
        for function in self.model.functions:  # whose attributes may have graphs for defaults
            stack.append((function.node, 0))
            stack += [(graph.node, 1) for graph in _graphs(function.attribute_proto)]
        while stack:
            nodes, depth = stack.pop()
            for node in nodes:
                collected.append((node, depth))
                stack += [(graph.node, depth + 1) for graph in subgraphs(node)]
        return tuple(collected)

    @cached_property
    def tensors(self) -> tuple[onnx.TensorProto, ...]:
        """Every stored tensor, initialiser or attribute; sparse ones by both their parts."""
        attributes = [attribute for node, _ in self.nodes for attribute in node.attribute]
        attributes += [attribute for function in self.model.functions for attribute in function.attribute_proto]
        graphs = [self.model.graph, *_graphs(attributes)]
        collected = [tensor for graph in graphs for tensor in graph.initializer]
        sparse = [tensor for graph in graphs for tensor in graph.sparse_initializer]
        for attribute in attributes:
            collected += [attribute.t] if attribute.HasField("t") else list(attribute.tensors)
            sparse += [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else attribute.sparse_tensors
        collected += [part for tensor in sparse for part in (tensor.values, tensor.indices)]
        return tuple(collected)

    @cached_property
    def constants(self) -> dict[str, tuple[int, ...]]:
        """Small constant int64 tensors by name, as Python's integers, so that no product overflows."""
        return dict(self._constants())

    def _constants(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        from onnx import TensorProto, numpy_helper  # noqa: PLC0415  this file is imported where only types are wanted

        named = [(tensor.name, tensor) for tensor in self.model.graph.initializer]
        for node, _ in self.nodes:
            if node.op_type == "Constant" and len(node.output) == 1:
                named += [(node.output[0], attribute.t) for attribute in node.attribute if attribute.HasField("t")]
        for name, tensor in named:
            whole = tensor.data_type == TensorProto.INT64 and not tensor.external_data
            if whole and all(dim >= 0 for dim in tensor.dims) and math.prod(tensor.dims) <= SMALL:
                yield name, tuple(int(number) for number in numpy_helper.to_array(tensor).ravel())


def subgraphs(node: onnx.NodeProto) -> list[onnx.GraphProto]:
    """The graphs inside a node: branches of an If, the body of a Loop or Scan."""
    return _graphs(node.attribute)


def _graphs(attributes: Iterable[onnx.AttributeProto]) -> list[onnx.GraphProto]:
    return [inner for a in attributes for inner in ([a.g] if a.HasField("g") else list(a.graphs))]
