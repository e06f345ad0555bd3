"""How large a file becomes when its functions are put in the place of their calls, as a runtime does it.

Forty functions that call each other twice are a trillion nodes, so that all is counted and nothing is unfolded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.bundle.onnx_file.graph import FunctionKey, ParsedModel, Section, subgraphs

if TYPE_CHECKING:
    import onnx


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Of a graph with all that it calls."""

    nodes: int
    names: int
    """Of inputs, outputs, attributes and stored tensors: the work of following them."""
    depth: int
    """Of the deepest subgraph, calls counted as one level each."""


def extent(parsed: ParsedModel) -> Extent | tuple[FunctionKey, ...]:
    """Of the main graph; where functions call each other in a circle, the circle."""
    calls = {key: _calls(parsed, section) for key, section in parsed.bodies.items()}
    order: list[FunctionKey] = []
    for key in calls:
        circle = _visit(key, calls, order)
        if circle:
            return circle
    known: dict[FunctionKey, Extent] = {}
    for key in order:  # whoever is called comes before the caller
        known[key] = _extent(parsed, parsed.bodies[key], known)
    return _extent(parsed, parsed.main, known)


def _calls(parsed: ParsedModel, section: Section) -> tuple[FunctionKey, ...]:
    keys = (parsed.called(node) for node, _ in section.nodes)
    return tuple(dict.fromkeys(key for key in keys if key is not None))


def _visit(
    start: FunctionKey, calls: Mapping[FunctionKey, Sequence[FunctionKey]], order: list[FunctionKey]
) -> tuple[FunctionKey, ...]:
    """Append what `start` calls and itself to the order, callees first; a circle where there is one."""
    done = set(order)
    if start in done:
        return ()
    path: dict[FunctionKey, Iterator[FunctionKey]] = {start: iter(calls[start])}
    while path:
        key = next(reversed(path))
        following = next((other for other in path[key] if other not in done), None)
        if following is None:
            del path[key]
            done.add(key)
            order.append(key)
        elif following in path:
            keys = list(path)
            return (*keys[keys.index(following) :], following)
        else:
            path[following] = iter(calls[following])
    return ()


def _extent(parsed: ParsedModel, section: Section, known: Mapping[FunctionKey, Extent]) -> Extent:
    nodes, names, depth = 0, 0, 0
    for node, level in section.nodes:
        key = parsed.called(node)
        called = Extent(nodes=0, names=0, depth=-1) if key is None else known[key]
        nodes += 1 + called.nodes
        names += _names(node) + called.names
        depth = max(depth, level + 1 + called.depth)
    return Extent(nodes=nodes, names=names, depth=depth)


def _names(node: onnx.NodeProto) -> int:
    inside = sum(len(g.initializer) + len(g.sparse_initializer) + len(g.input) for g in subgraphs(node))
    return len(node.input) + len(node.output) + len(node.attribute) + inside
