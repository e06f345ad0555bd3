"""The postprocess of a pipeline.onnx as a graph of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import onnx

from zoo.api.errors import PluginError
from zoo.api.task import Port, Signature
from zoo_export.capture.onnx_graph import nodes, subgraphs


def joint_names(pipeline: onnx.ModelProto, model: Signature) -> dict[str, str]:
    """The names that `compose` gives the outputs of a model inside a whole graph, by port name."""
    ports = {value.name for value in (*pipeline.graph.input, *pipeline.graph.output)}
    return {port.name: f"model/{port.name}" if port.name in ports else port.name for port in model.outputs}


def postprocess_of(pipeline: onnx.ModelProto, model: Signature, answer: Iterable[str]) -> onnx.ModelProto:
    """Outputs of the model, under their `joint_names`, and raw inputs to the `answer`, as far as they are read.

    PluginError where the answer does not follow from those alone.
    """
    names = joint_names(pipeline, model)
    joints = {names[port.name]: port for port in model.outputs}
    wanted = set(answer)
    kept = _after(pipeline.graph, wanted, joints)
    read = {name for node in kept for name in _reads(node)}
    tensors = [tensor for tensor in pipeline.graph.initializer if tensor.name in read]
    raw = [value for value in pipeline.graph.input if value.name in read and value.name not in joints]
    known = {name for node in kept for name in node.output} | {item.name for item in (*tensors, *raw)} | set(joints)
    if missing := sorted(read - known):
        raise PluginError(
            f"the postprocess cannot be told from the model: the answer is computed from {missing[0]} as well, "
            f"not from {', '.join(sorted(joints))} alone"
        )
    graph = onnx.helper.make_graph(
        kept,
        "postprocess",
        [*(_value(name, port) for name, port in joints.items() if name in read), *raw],
        [value for value in pipeline.graph.output if value.name in wanted],
        tensors,
    )
    cut = onnx.helper.make_model(
        graph,
        opset_imports=list(pipeline.opset_import),
        ir_version=pipeline.ir_version,
        functions=list(pipeline.functions),
    )
    cut.producer_name, cut.producer_version = pipeline.producer_name, pipeline.producer_version
    return cut


def _after(graph: onnx.GraphProto, answer: set[str], joints: Collection[str]) -> list[onnx.NodeProto]:
    """The nodes between the joints and the answer, in the order of the graph."""
    wanted, kept = set(answer), []
    for node in reversed(graph.node):
        if wanted.intersection(node.output) and not set(joints).intersection(node.output):
            kept.append(node)
            wanted.update(_reads(node))
    return kept[::-1]


def _reads(node: onnx.NodeProto) -> set[str]:
    """The values that a node reads, in its subgraphs too, but for those that they make themselves."""
    bodies = subgraphs(node)
    inner = [part for body in bodies for part in nodes(body)]
    own = {name for part in inner for name in part.output}
    own |= {value.name for body in bodies for value in (*body.input, *body.initializer)}
    return {name for name in (*node.input, *(name for part in inner for name in part.input)) if name} - own


def _value(name: str, port: Port) -> onnx.ValueInfoProto:
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(port.dtype))
    return onnx.helper.make_tensor_value_info(name, kind, list(port.shape))
