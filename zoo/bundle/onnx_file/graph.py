"""Walking an ONNX file: every node and every stored tensor, at any depth, and which function calls which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

OWN_DOMAINS = frozenset({"", "ai.onnx"})
FunctionKey = tuple[str, str, str]
"""Domain, name and overload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The main graph with its subgraphs, or one function with those."""

    nodes: tuple[tuple[onnx.NodeProto, int], ...]
    """Each with the depth of the subgraph it lies in."""
    opset: int
    """Of ONNX's own operators; 0 where none is named."""


@dataclass(frozen=True)
class ParsedModel:
    """One parsed file, walked once."""

    model: onnx.ModelProto

    @cached_property
    def functions(self) -> Mapping[FunctionKey, onnx.FunctionProto]:
        """The functions that the file defines."""
        return {_key(function.domain, function.name, function.overload): function for function in self.model.functions}

    @cached_property
    def main(self) -> Section:
        """The main graph."""
        return Section(nodes=_nodes([(self.model.graph.node, 0)]), opset=_opset(self.model.opset_import))

    @cached_property
    def bodies(self) -> Mapping[FunctionKey, Section]:
        """What each function holds, the graphs that its attributes have for defaults among it."""
        found = {}
        for key, function in self.functions.items():
            start = [(function.node, 0), *((graph.node, 1) for graph in graphs_in(function.attribute_proto))]
            found[key] = Section(nodes=_nodes(start), opset=_opset(function.opset_import) or self.main.opset)
        return found

    @cached_property
    def training(self) -> Section:
        """What `training_info` holds, which no runtime for inference runs."""
        graphs = [graph for info in self.model.training_info for graph in (info.initialization, info.algorithm)]
        return Section(nodes=_nodes([(graph.node, 0) for graph in graphs]), opset=self.main.opset)

    @property
    def sections(self) -> tuple[Section, ...]:
        """All of them."""
        return self.main, *self.bodies.values(), self.training

    @cached_property
    def nodes(self) -> tuple[tuple[onnx.NodeProto, int], ...]:
        """Every node with the depth of the subgraph it lies in; those of functions included."""
        return tuple(pair for section in self.sections for pair in section.nodes)

    @cached_property
    def graphs(self) -> tuple[onnx.GraphProto, ...]:
        """Every graph: the main one, those inside nodes, those for training."""
        training = [graph for info in self.model.training_info for graph in (info.initialization, info.algorithm)]
        return self.model.graph, *graphs_in(self._attributes), *training

    @cached_property
    def tensors(self) -> tuple[onnx.TensorProto, ...]:
        """Every stored tensor, initialiser or attribute; sparse ones by both their parts."""
        found = [tensor for graph in self.graphs for tensor in graph.initializer]
        for attribute in self._attributes:
            found += [attribute.t] if attribute.HasField("t") else list(attribute.tensors)
        found += [part for tensor in self.sparse_tensors for part in (tensor.values, tensor.indices)]
        return tuple(found)

    @cached_property
    def sparse_tensors(self) -> tuple[onnx.SparseTensorProto, ...]:
        """Every stored sparse tensor; runtimes make dense ones of them."""
        found = [tensor for graph in self.graphs for tensor in graph.sparse_initializer]
        for attribute in self._attributes:
            has_one = attribute.HasField("sparse_tensor")
            found += [attribute.sparse_tensor] if has_one else list(attribute.sparse_tensors)
        return tuple(found)

    @cached_property
    def _attributes(self) -> list[onnx.AttributeProto]:
        attributes = [attribute for node, _ in self.nodes for attribute in node.attribute]
        return attributes + [attribute for function in self.model.functions for attribute in function.attribute_proto]

    def called(self, node: onnx.NodeProto) -> FunctionKey | None:
        """The function of the file that a node calls; None for an operator."""
        key = _key(node.domain, node.op_type, node.overload)
        return key if key in self.functions else None


def subgraphs(node: onnx.NodeProto) -> list[onnx.GraphProto]:
    """The graphs inside a node: branches of an If, the body of a Loop or Scan."""
    return graphs_in(node.attribute)


def graphs_in(attributes: Iterable[onnx.AttributeProto]) -> list[onnx.GraphProto]:
    """The graphs that attributes hold."""
    return [inner for a in attributes for inner in ([a.g] if a.HasField("g") else list(a.graphs))]


def _key(domain: str, name: str, overload: str) -> FunctionKey:
    return "" if domain in OWN_DOMAINS else domain, name, overload


def _opset(imports: Iterable[onnx.OperatorSetIdProto]) -> int:
    return next((entry.version for entry in imports if entry.domain in OWN_DOMAINS), 0)


def _nodes(start: Iterable[tuple[Sequence[onnx.NodeProto], int]]) -> tuple[tuple[onnx.NodeProto, int], ...]:
    return tuple(_each_node(list(start)))


def _each_node(stack: list[tuple[Sequence[onnx.NodeProto], int]]) -> Iterator[tuple[onnx.NodeProto, int]]:
    while stack:
        nodes, depth = stack.pop()
        for node in nodes:
            yield node, depth
            stack += [(graph.node, depth + 1) for graph in subgraphs(node)]
