"""A graph followed without running it: how often its loops turn, and how large its tensors are at least.

Functions are entered with what is known of their inputs.  The caller has made sure that all of it unfolds to few
enough nodes (`zoo.bundle.onnx_file.safety.unfolding`).
"""

from __future__ import annotations

import math
from collections import ChainMap
from collections.abc import Generator, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from zoo.bundle.onnx_file.graph import ParsedModel, subgraphs
from zoo.bundle.onnx_file.safety.folding import FOLLOWED, fold
from zoo.bundle.onnx_file.safety.known import MAX_FOLLOWED_ELEMENTS, UNKNOWN, Known, constant, sized
from zoo.bundle.onnx_file.safety.loops import MAX_FOLLOWED_TURNS, carried_on, unchanged

if TYPE_CHECKING:
    import onnx

MAX_DECLARED_SIZE = 1 << 20
"""Of one axis of an input."""
MAX_VISITS = 200_000
"""Of nodes, those in loops counted once for each turn that is followed."""
Environment = MutableMapping[str, Known]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """A loop, and how often its body runs, the loops around it counted; None where its inputs say it."""

    node: onnx.NodeProto
    own: int | None
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A node and how many elements its largest output has at least."""

    node: onnx.NodeProto
    elements: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Where a node stands."""

    parsed: ParsedModel
    turns: int = 1
    """Of all loops around it."""
    followed: int = 1
    """How many turns of the loops from here on may be followed, those of loops within loops multiplied."""
    given: Mapping[str, onnx.AttributeProto] = field(default_factory=dict)
    """The attributes of the call of the function that it lies in."""


def interpret(parsed: ParsedModel) -> Iterator[Turns | Made]:
    """Every loop and every tensor of the main graph, with all that it calls."""
    graph = parsed.model.graph
    known = {value.name: sized(_declared(value)) for value in graph.input if value.type.HasField("tensor_type")}
    followed = max(1, min(MAX_FOLLOWED_TURNS**2, MAX_VISITS // max(1, len(parsed.nodes))))
    yield from _graph(graph, ChainMap(known), Context(parsed=parsed, followed=followed))


def _declared(value: onnx.ValueInfoProto) -> tuple[int | None, ...] | None:
    """What an input says of its shape; a size that nobody can feed is as good as none."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return tuple(
        dim.dim_value if dim.HasField("dim_value") and dim.dim_value <= MAX_DECLARED_SIZE else None
        for dim in tensor.shape.dim
    )


def _graph(graph: onnx.GraphProto, inside: ChainMap[str, Known], context: Context) -> Iterator[Turns | Made]:
    """A graph, which sees the names of those around it; `inside` is its own, and filled."""
    inside.update((tensor.name, _stored(tensor)) for tensor in graph.initializer)
    inside.update((tensor.values.name, sized(tuple(tensor.dims))) for tensor in graph.sparse_initializer)
    yield from _nodes(graph.node, inside, context)


def _nodes(nodes: Sequence[onnx.NodeProto], known: ChainMap[str, Known], context: Context) -> Iterator[Turns | Made]:
    for node in nodes:
        inputs = [known.get(name, UNKNOWN) if name else UNKNOWN for name in node.input]
        if context.parsed.called(node) is not None:
            known.update((name, UNKNOWN) for name in node.output)
            yield from _call(node, inputs, known, context)
            continue
        known.update((name, UNKNOWN) for name in node.output)
        if node.op_type in ("Loop", "Scan") and len(subgraphs(node)) == 1:
            found = yield from _looped(node, inputs, known, context)
        else:
            branches = []
            for graph in subgraphs(node):
                inside = known.new_child({value.name: UNKNOWN for value in graph.input})
                yield from _graph(graph, inside, context)
                branches.append([inside.get(value.name, UNKNOWN) for value in graph.output])
            if node.op_type == "If":
                found = [max(either, key=_extent) for either in zip(*branches, strict=False)]
            else:
                found = _outputs(node, inputs, context)
        if node.output:
            known.update(zip(node.output, found, strict=False))
            yield Made(node=node, elements=max((output.elements for output in found), default=1))


def _extent(known: Known) -> tuple[int, float]:
    """How much may come of a tensor: by its own size, and as a size."""
    values = () if known.values is None else known.values.ravel().tolist()
    return known.elements, math.prod(abs(float(value)) for value in values)


def _call(
    node: onnx.NodeProto, inputs: Sequence[Known], known: Environment, context: Context
) -> Iterator[Turns | Made]:
    key = context.parsed.called(node)
    assert key is not None
    function = context.parsed.functions[key]
    defaults = {attribute.name: attribute for attribute in function.attribute_proto}
    given = dict(_attributes(node, context))
    inside = ChainMap(dict(zip(function.input, inputs, strict=False)))
    yield from _nodes(function.node, inside, replace(context, given={**defaults, **given}))
    results = (inside.get(name, UNKNOWN) for name in function.output)
    known.update(zip(node.output, results, strict=False))


# --- loops ---


def _looped(
    node: onnx.NodeProto, inputs: Sequence[Known], known: ChainMap[str, Known], context: Context
) -> Generator[Turns | Made, None, list[Known]]:
    """What is known of the outputs of a loop: what it carries, after its last turn, and what all turns give."""
    own, carried = _turns(node, inputs), _carried(node, inputs)
    total = context.turns * (1 if own is None else own)
    yield Turns(node=node, own=own, total=total)
    (body,) = subgraphs(node)
    first = 1 if node.op_type == "Loop" else 0  # of its outputs, the condition
    turns = max(1, min(own or 1, MAX_FOLLOWED_TURNS, context.followed))
    inner = replace(context, turns=total, followed=context.followed // turns)
    if own is None:  # nothing is known of how often it turns, so that nothing is followed
        carried = [UNKNOWN] * len(carried)
    history = [carried]
    for turn in range(turns):
        outputs = yield from _turn(node, inputs, carried, body, turn, known, inner)
        carried = outputs[first : first + len(carried)]
        history.append(carried)
        if unchanged(*history[-2:]):
            break
    last = (own or 1) - len(history) + 1
    if last > 0 and not unchanged(*history[-2:]):
        state = carried_on(history, last - 1)
        outputs = yield from _turn(node, inputs, state, body, (own or 1) - 1, known, inner)
        carried = outputs[first : first + len(carried)]
    collected = [Known(elements=output.elements * (own or 1)) for output in outputs[first + len(carried) :]]
    return [*carried, *collected]


def _turn(  # noqa: PLR0917  all that a turn depends on
    node: onnx.NodeProto,
    inputs: Sequence[Known],
    carried: Sequence[Known],
    body: onnx.GraphProto,
    turn: int,
    known: ChainMap[str, Known],
    context: Context,
) -> Generator[Turns | Made, None, list[Known]]:
    """What is known of the outputs of a body in one turn."""
    import numpy as np  # noqa: PLC0415  this file is imported where only listing is wanted

    if node.op_type == "Loop":
        handed = [constant(np.array(turn, np.int64)), UNKNOWN, *carried]
    else:
        scanned = inputs[len(carried) :]
        handed = [*carried, *(sized(value.shape[1:]) if value.shape else UNKNOWN for value in scanned)]
    inside = known.new_child({value.name: UNKNOWN for value in body.input})
    inside.update((value.name, told) for value, told in zip(body.input, handed, strict=False))
    yield from _graph(body, inside, context)
    return [inside.get(value.name, UNKNOWN) for value in body.output]


def _carried(node: onnx.NodeProto, inputs: Sequence[Known]) -> list[Known]:
    """What the first turn is handed of what a loop carries."""
    if node.op_type == "Loop":
        return list(inputs[2:])
    return list(inputs[: max(0, len(inputs) - _scanned(node))])


def _scanned(node: onnx.NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "num_scan_inputs"), 1)


def _turns(node: onnx.NodeProto, inputs: Sequence[Known]) -> int | None:
    """How often a loop turns at most; None where its inputs say it."""
    if node.op_type == "Scan":
        scanned = inputs[max(0, len(inputs) - _scanned(node)) :]
        return max((known.shape[0] or 1 for known in scanned if known.shape), default=None)
    if not inputs or inputs[0].values is None or not inputs[0].values.size:
        return None
    return max(0, int(inputs[0].values.ravel()[0]))


def _outputs(node: onnx.NodeProto, inputs: Sequence[Known], context: Context) -> list[Known]:
    from onnx import helper  # noqa: PLC0415  this file is imported where only listing is wanted

    if node.op_type != "Constant" and node.op_type not in FOLLOWED:
        return [UNKNOWN]
    found = dict(_attributes(node, context))
    if any(len(attribute.ints) + len(attribute.floats) > MAX_FOLLOWED_ELEMENTS for attribute in found.values()):
        return [UNKNOWN]
    if node.op_type == "Constant":
        return [_constant(found)]
    try:
        attributes = {name: helper.get_attribute_value(attribute) for name, attribute in found.items()}
    except ValueError:  # of an unknown type
        return [UNKNOWN]
    return fold(node.op_type, inputs, attributes, outputs=len(node.output))


def _attributes(node: onnx.NodeProto, context: Context) -> Iterator[tuple[str, onnx.AttributeProto]]:
    """A node's attributes by name; one that stands for the function's own is what the call gives."""
    for attribute in node.attribute:
        if not attribute.ref_attr_name:
            yield attribute.name, attribute
        elif attribute.ref_attr_name in context.given:
            yield attribute.name, context.given[attribute.ref_attr_name]


def _constant(attributes: Mapping[str, onnx.AttributeProto]) -> Known:
    import numpy as np  # noqa: PLC0415

    for name, attribute in attributes.items():
        match name:
            case "value":
                return _stored(attribute.t)
            case "value_int":
                return constant(np.array(attribute.i, np.int64))
            case "value_ints":
                return constant(np.array(attribute.ints, np.int64))
            case "value_float":
                return constant(np.array(attribute.f, np.float32))
            case "value_floats":
                return constant(np.array(attribute.floats, np.float32))
    return UNKNOWN


def _stored(tensor: onnx.TensorProto) -> Known:
    from onnx import numpy_helper  # noqa: PLC0415

    shape = tuple(tensor.dims)
    outside = tensor.external_data or tensor.data_location == tensor.EXTERNAL
    if outside or any(size < 0 for size in shape) or math.prod(shape) > MAX_FOLLOWED_ELEMENTS:
        return sized(shape)
    try:
        array: Any = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError):  # malformed, which is said elsewhere
        return sized(shape)
    return constant(array)
