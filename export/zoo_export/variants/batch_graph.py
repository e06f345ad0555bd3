"""pipeline.onnx for a batch: preprocess and postprocess picture by picture, the model once on all of them.

A `Scan` runs the preprocess of the proved pipeline on each picture of a batch, and another one its postprocess on what
the model gives for each: their nodes, and the weights, are those of pipeline.onnx.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import onnx

from zoo.api.errors import Refused
from zoo.api.task import Port, Signature
from zoo.bundle.judge.form_rule import BATCH
from zoo.models.pipeline import raw_inputs
from zoo_export.capture.capture import Exported
from zoo_export.capture.compose import IN, OUT, OUTER, ancestors, rename
from zoo_export.capture.onnx_graph import copy_of
from zoo_export.subject.batching import batch_axis, batch_name
from zoo_export.subject.subject import Subject

PLURALS: Final = {"image": "images", "image_out": "images_out"}
"""What the inputs and outputs of a batch are called where that is not as for one picture."""
BEFORE, AFTER, ROWS, AXIS = "before/", "after/", "rows/", "batch/axis"


def batch_signature(subject: Subject) -> Signature:
    """The inputs and outputs of a subject's batch pipeline; Refused, with what to use instead, where it has none."""
    pipeline, model = subject.pipeline_signature, subject.signature
    if batch_name(pipeline) is not None:
        inputs = " and ".join(port.name for port in pipeline.inputs)
        raise Refused(f"--batch adds nothing to {subject.model}: its pipeline.onnx takes batches already ({inputs})")
    known = {size for port in pipeline.inputs for size in port.shape}
    free = [port.name for port in pipeline.outputs if any(isinstance(n, str) and n not in known for n in port.shape)]
    if free:
        raise Refused(
            f"no batch pipeline can be made of {subject.model}: how many {free[0]} there are differs from picture to "
            "picture, and one array cannot hold them",
            hint="run pipeline.onnx picture by picture, or model.onnx on the whole batch",
        )
    name = batch_name(model)
    if name is None or any(batch_axis(port, name) != 0 for port in (*model.inputs, *model.outputs)):
        raise Refused(f"no batch pipeline can be made of {subject.model}: its model takes one item at a time")
    return Signature(inputs=tuple(map(_batched, pipeline.inputs)), outputs=tuple(map(_batched, pipeline.outputs)))


def _batched(port: Port) -> Port:
    return replace(
        port, name=PLURALS.get(port.name, port.name), shape=(BATCH, *port.shape), doc=f"{port.doc}, of each item"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    """One of the two loops: what it takes of each item, and what it gives."""

    nodes: Sequence[onnx.NodeProto]
    inputs: Sequence[onnx.ValueInfoProto]
    outputs: Sequence[onnx.ValueInfoProto]

    def node(self, name: str, sources: Iterable[str], results: Iterable[str]) -> onnx.NodeProto:
        """A Scan that runs it on the slices of `sources`, stacked to `results`."""
        body = onnx.helper.make_graph(list(self.nodes), name, list(self.inputs), list(self.outputs))
        return onnx.helper.make_node(
            "Scan", list(sources), list(results), name=name, body=body, num_scan_inputs=len(self.inputs)
        )


def batch_graph(exported: Exported, subject: Subject, signature: Signature) -> onnx.ModelProto:
    """The pipeline of an export for batches, with the ports of `signature` (`batch_signature`)."""
    outer, model = exported.pipeline.outer, exported.graph
    raw = [port.name for port in subject.pipeline_signature.inputs]
    answer = [port.name for port in subject.pipeline_signature.outputs]
    read = [name for name in raw if name in raw_inputs(subject.torch_pipeline().postprocess)]
    inner, joints = _model(model.shipped, model.signature, signature)
    before = _body(outer, BEFORE, raw, [IN + port.name for port in model.signature.inputs])
    after = _body(outer, AFTER, [*(OUT + port.name for port in model.signature.outputs), *read], answer)
    given = dict(zip(raw, (port.name for port in signature.inputs), strict=True))
    prepared = [f"{ROWS}{IN}{port.name}" for port in model.signature.inputs]
    outputs = [f"{ROWS}{OUT}{port.name}" for port in model.signature.outputs]
    nodes = [
        before.node("preprocess", (given[name] for name in raw), prepared),
        *(_axis("Squeeze", row, name) for row, name in zip(prepared, joints.inputs, strict=True)),
        *inner.graph.node,
        *(_axis("Unsqueeze", name, row) for name, row in zip(joints.outputs, outputs, strict=True)),
        after.node(
            "postprocess", [*outputs, *(given[name] for name in read)], [port.name for port in signature.outputs]
        ),
    ]
    held = copy_of(outer)
    rename(held.graph, OUTER.__add__)
    axis = onnx.helper.make_tensor(AXIS, onnx.TensorProto.INT64, [1], [1])
    used = _names(nodes)
    tensors = [*(tensor for tensor in held.graph.initializer if tensor.name in used), *inner.graph.initializer, axis]
    graph = onnx.helper.make_graph(
        nodes, "pipeline", list(map(_value, signature.inputs)), list(map(_value, signature.outputs)), tensors
    )
    whole = onnx.helper.make_model(
        graph,
        opset_imports=list(outer.opset_import),
        ir_version=outer.ir_version,
        functions=[*outer.functions, *inner.functions],
    )
    whole.producer_name, whole.producer_version = outer.producer_name, outer.producer_version
    return whole


@dataclass(frozen=True, slots=True, kw_only=True)
class _Joints:
    """What the inputs and outputs of the model are called inside the batch pipeline."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def _model(shipped: onnx.ModelProto, own: Signature, signature: Signature) -> tuple[onnx.ModelProto, _Joints]:
    """The model, its values named as `compose` names them, but where the ports of the pipeline need the names."""
    inner = copy_of(shipped)
    ports = {port.name for port in (*signature.inputs, *signature.outputs)}
    inputs = {port.name: f"{OUTER}{IN}{port.name}" for port in own.inputs}

    def new(name: str) -> str:
        return inputs.get(name) or (f"model/{name}" if name in ports else name)

    rename(inner.graph, new)
    joints = _Joints(
        inputs=tuple(new(port.name) for port in own.inputs), outputs=tuple(new(port.name) for port in own.outputs)
    )
    return inner, joints


def _body(outer: onnx.ModelProto, prefix: str, inputs: Sequence[str], outputs: Sequence[str]) -> _Body:
    """The part of preprocess and postprocess that gives these outputs; it reads the weights of the graph around it."""
    part = copy_of(outer)
    kept = ancestors(part.graph, outputs)
    held = {tensor.name for tensor in part.graph.initializer}
    rename(part.graph, _inside(prefix, held))
    values = {value.name: value for value in (*part.graph.input, *part.graph.output)}
    return _Body(
        nodes=[node for index, node in enumerate(part.graph.node) if index in kept],
        inputs=[values[prefix + name] for name in inputs],
        outputs=[values[prefix + name] for name in outputs],
    )


def _inside(prefix: str, held: set[str]) -> Callable[[str], str]:
    return lambda name: f"{OUTER if name in held else prefix}{name}"


def _axis(op: str, source: str, result: str) -> onnx.NodeProto:
    """The axis of one item, put in or taken out behind the axis of the batch."""
    return onnx.helper.make_node(op, [source, AXIS], [result], name=f"{op.lower()}/{result}")


def _names(nodes: Iterable[onnx.NodeProto]) -> set[str]:
    """What these nodes read, inside their bodies too."""
    names: set[str] = set()
    for node in nodes:
        names.update(node.input)
        for attribute in node.attribute:
            names |= _names(attribute.g.node)
            for inner in attribute.graphs:
                names |= _names(inner.node)
    return names


def _value(port: Port) -> onnx.ValueInfoProto:
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(port.dtype))
    return onnx.helper.make_tensor_value_info(port.name, kind, list(port.shape))
