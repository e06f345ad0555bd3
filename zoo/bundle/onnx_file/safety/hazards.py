"""Reasons not to load an untrusted graph, a sentence each, and the list of what was looked for.

External data read other files, hard links get past the checks for that (ONNX Runtime 1.31 follows them), foreign
domains need foreign code, a loop without a bound never ends, and 93 bytes can ask for 256 GB.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from zoo.api.errors import BadFile
from zoo.bundle.onnx_file.external_data import Weights, external_tensors, is_external, is_plain, unsafe
from zoo.bundle.onnx_file.graph import OWN_DOMAINS, ParsedModel, Section, graphs_in, subgraphs
from zoo.bundle.onnx_file.safety.interpretation import Made, Turns, interpret
from zoo.bundle.onnx_file.safety.loops import MAX_FOLLOWED_TURNS
from zoo.bundle.onnx_file.safety.unfolding import extent

MAX_NODES = 200_000
"""Functions put in the place of their calls."""
MAX_NAMES = 20 * MAX_NODES
MAX_NESTING = 16
MAX_CALLS = 64
"""Levels of functions and subgraphs within each other."""
MAX_TURNS = 1 << 20
"""Of a loop with a constant trip count, those of the loops around it counted."""
MAX_ELEMENTS = 1 << 30
"""Of one tensor, stored or made out of nothing."""
LOOKED_FOR = (
    "operators that ONNX does not have, or that come from elsewhere",
    "data outside the file other than one plain file beside it, and links to them",
    "stored tensors whose bytes do not fit their type and shape",
    f"functions that call themselves, and more than {MAX_NODES:,} nodes once functions are put in their places",
    f"subgraphs nested deeper than {MAX_NESTING}",
    f"loops without a bound, or of more than {MAX_TURNS:,} turns by constants, loops within loops multiplied",
    f"tensors of more than {MAX_ELEMENTS:,} elements by constants and what is computed from them, also where they "
    f"grow in a loop that turns as often as a constant says: its first {MAX_FOLLOWED_TURNS} turns, carried on to the "
    "last one",
    "graphs for training",
)
"""What `hazards` finds; nothing is said of the rest, such as sizes and numbers of turns that depend on inputs."""


def hazards(parsed: ParsedModel, path: Path, *, opset: int) -> Iterator[str]:
    """What speaks against loading the file at `path`."""
    foreign = sorted(_foreign(parsed))
    if foreign:
        yield f"its operators come from {', '.join(foreign)}, which means loading foreign code"
    yield from _unknown(parsed, opset)
    yield from _outside(parsed, path)
    if parsed.model.training_info:
        yield "it carries graphs for training (training_info), which have no place in a file for inference"
    yield from _malformed(parsed)
    yield from _stored(parsed)
    too_large = list(_too_large(parsed))
    yield from too_large or _followed(parsed)


def _foreign(parsed: ParsedModel) -> set[str]:
    """The domains whose operators are neither ONNX's nor functions of the file."""
    used = {node.domain for node, _ in parsed.nodes if parsed.called(node) is None}
    imported = {entry.domain for entry in parsed.model.opset_import} - {domain for domain, _, _ in parsed.functions}
    return (used | imported) - OWN_DOMAINS


def _unknown(parsed: ParsedModel, opset: int) -> Iterator[str]:
    from onnx import defs  # noqa: PLC0415  this file is imported where only types are wanted

    newest = defs.onnx_opset_version()
    if opset <= 0:
        yield "it names no opset"
    elif opset > newest:
        yield f"it names the opset {opset}; the operators of {newest} and before are known here"
    for section in parsed.sections:
        for name in sorted(_unknown_names(parsed, section))[:4]:
            yield f"the operator {name!r} is none of ONNX's opset {section.opset}"


def _unknown_names(parsed: ParsedModel, section: Section) -> set[str]:
    names = {node.op_type for node, _ in section.nodes if node.domain in OWN_DOMAINS and parsed.called(node) is None}
    return {name for name in names if not _exists(name, section.opset)}


def _exists(name: str, opset: int) -> bool:
    from onnx import defs  # noqa: PLC0415

    try:
        defs.get_schema(name, opset, "")
    except defs.SchemaError:
        return False
    return True


def _too_large(parsed: ParsedModel) -> Iterator[str]:
    """Why the graph cannot be followed to its end."""
    if len(parsed.nodes) > MAX_NODES:
        yield f"it has {len(parsed.nodes):,} nodes; {MAX_NODES:,} is the limit"
    if max((depth for _, depth in parsed.nodes), default=0) > MAX_NESTING:
        yield f"its subgraphs are nested deeper than {MAX_NESTING}"
    handed = [node for node, _ in parsed.nodes if parsed.called(node) is not None and subgraphs(node)]
    if handed or any(graphs_in(function.attribute_proto) for function in parsed.functions.values()):
        yield "its functions take graphs as attributes, so that nobody can tell how large it becomes"
    whole = extent(parsed)
    if isinstance(whole, tuple):
        circle = " calls ".join(repr(name) for _, name, _ in whole[:8])
        yield f"its functions never end: {circle}"
        return
    if whole.nodes > max(MAX_NODES, len(parsed.nodes)) or whole.names > MAX_NAMES:
        made = f"{whole.nodes:,} nodes with {whole.names:,} names"
        yield f"its functions make {made} of it; {MAX_NODES:,} and {MAX_NAMES:,} are the limits"
    if whole.depth > MAX_CALLS:
        yield f"its functions and subgraphs lie {whole.depth:,} deep in each other; {MAX_CALLS} is the limit"


def _followed(parsed: ParsedModel) -> Iterator[str]:
    """What loops and sizes come to, a sentence for each node that is too much."""
    worst: dict[tuple[type, int], Turns | Made] = {}
    for found in interpret(parsed):  # a node in a loop or a function comes more than once
        key = type(found), id(found.node)
        if key not in worst or _much(found) > _much(worst[key]):
            worst[key] = found
    sentences = dict.fromkeys(
        _endless(found) if isinstance(found, Turns) else _inflated(found) for found in worst.values()
    )
    yield from (sentence for sentence in sentences if sentence)


def _much(found: Turns | Made) -> int:
    return found.total if isinstance(found, Turns) else found.elements


def _endless(loop: Turns) -> str:
    node = loop.node
    if node.op_type == "Loop" and (not node.input or not node.input[0]):
        return f"the loop {node.name!r} has no bound and may run for ever"
    if loop.total <= MAX_TURNS:
        return ""
    around = "" if loop.own == loop.total else ", the loops around it counted"
    return f"the loop {node.name!r} may run more than a million times ({loop.total:,}{around})"


def _inflated(made: Made) -> str:
    if made.elements <= MAX_ELEMENTS:
        return ""
    return f"the {made.node.op_type} node {made.node.name!r} makes {made.elements:,} elements out of nothing"


def _outside(parsed: ParsedModel, path: Path) -> Iterator[str]:
    """Weights anywhere but in one plain file beside the graph, which is read for it (see `external_data`)."""
    places: dict[str, str] = {}
    for tensor in parsed.tensors:
        if is_external(tensor):
            location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
            places.setdefault(location, tensor.name)
    for place, name in list(places.items())[:4]:
        reason = unsafe(path.parent / place) if is_plain(place) else "is no name of a file beside it"
        if not reason and len(places) > 1:
            reason = "is one of several files"
        if reason:
            yield f"the tensor {name!r} lies outside the file, in {place!r}, which {reason}"
    if len(places) == 1 and is_plain(place := next(iter(places))) and not unsafe(path.parent / place):
        size = (path.parent / place).stat().st_size
        try:
            external_tensors(parsed.model, Weights(path=path.parent / place, sha256="", bytes=size), title="it")
        except BadFile as error:
            yield error.message


def _malformed(parsed: ParsedModel) -> Iterator[str]:
    """Stored tensors whose bytes are not what their type and shape need, or that have no known type."""
    for tensor in parsed.tensors:
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


def _stored(parsed: ParsedModel) -> Iterator[str]:
    """Stored tensors of impossible shapes; a sparse one may be small and its shape huge."""
    shapes = [(tensor.name, list(tensor.dims)) for tensor in parsed.tensors]
    shapes += [(tensor.values.name, list(tensor.dims)) for tensor in parsed.sparse_tensors]
    for name, shape in shapes:
        if any(size < 0 for size in shape) or math.prod(shape) > MAX_ELEMENTS:
            yield f"the tensor {name!r} claims the shape {shape}"
