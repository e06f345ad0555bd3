"""pipeline.onnx: preprocess, model and postprocess as one graph.

Preprocess and postprocess are captured together, once, and the captured model is put between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableSequence
from dataclasses import dataclass, replace

import onnx
import torch
from torch import nn

from zoo.api.errors import PluginError
from zoo.api.task import Port, Signature
from zoo.models.outputs import Array, flatten
from zoo.models.pipeline import TorchPipeline, raw_inputs
from zoo.training.engine.allocator import give_back
from zoo_export.capture.kept_captures import export_kept
from zoo_export.capture.message_parts import without_numbers
from zoo_export.capture.onnx_graph import copy_of, nodes, subgraphs
from zoo_export.capture.stored_model import StoredModel
from zoo_export.capture.torch_export import Graph
from zoo_export.subject.choose_cases import Sizes

IN, OUT = "prepared_", "model_"
"""Prefixes of the model's ports where they meet preprocess and postprocess: `image` may be an input and an output."""
OUTER = "ends/"
"""Prefix of the values of preprocess and postprocess in pipeline.onnx."""


class PreAndPostprocess(nn.Module):
    """Preprocess and postprocess side by side: (raw inputs, model outputs) -> (model inputs, answer).

    The names `prepare` and `finish` stand in the initialisers of every pipeline.onnx.
    """

    def __init__(self, pipeline: TorchPipeline) -> None:
        super().__init__()
        self.prepare = pipeline.preprocess
        self.finish = pipeline.postprocess
        self._pipeline = pipeline.signature
        self._model = pipeline.model_signature

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Both, in the order of the signatures."""
        count = len(self._pipeline.inputs)
        preprocessed = flatten(self.prepare(*inputs[:count]), self._model.inputs)
        index = {port.name: index for index, port in enumerate(self._pipeline.inputs)}
        raw = [inputs[index[name]] for name in raw_inputs(self.finish)]
        answer = flatten(self.finish(*inputs[count:], *raw), self._pipeline.outputs)
        return (*preprocessed.values(), *answer.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The whole graph, and its preprocess alone."""

    shipped: StoredModel
    preprocess: onnx.ModelProto
    """Raw inputs to model inputs, the latter under `prepared_` names."""
    outer: onnx.ModelProto
    """Preprocess and postprocess, as `compose` takes them."""
    guard_violations: tuple[Sizes, ...] = ()
    """As those of a `Graph`."""


def export_pipeline(
    pipeline: TorchPipeline,
    model: Graph,
    *,
    raw: Mapping[str, Array],
    outputs: Mapping[str, Array],
    opset: int,
    describe: Callable[[onnx.ModelProto], None] = lambda _: None,
) -> Pipeline:
    """The pipeline around a captured model; `raw` is one raw input, `outputs` what the model gives for it.

    `describe` writes into the graph before it is stored.
    """
    signature = pipeline.signature
    fixed = _fixed_axes(model.signature.inputs, pipeline.inputs(raw), signature.inputs, raw)
    ins = tuple(_joint(port, IN, fixed) for port in model.signature.inputs)
    outs = tuple(_joint(port, OUT, fixed) for port in model.signature.outputs)
    both = Signature(inputs=(*signature.inputs, *outs), outputs=(*ins, *signature.outputs))
    example = {**raw, **{OUT + name: value for name, value in outputs.items()}}
    module = PreAndPostprocess(pipeline).eval()
    captured = export_kept(module, example, both, opset=opset, name="the preprocess and postprocess")
    outer = captured.shipped.model
    _check_fixed(outer, model.signature.inputs, fixed)
    names = {name for port in signature.inputs for name in port.shape if isinstance(name, str)}
    violations = (*captured.guard_violations, *model.guard_violations)
    composed = compose(outer, model, signature)
    describe(composed)
    give_back()  # composing copies the weights
    return Pipeline(
        shipped=StoredModel.of(composed),
        preprocess=_preprocess(outer, signature, ins),
        outer=outer,
        guard_violations=tuple(sizes for sizes in violations if names.issuperset(sizes)),
    )


def _fixed_axes(
    ports: Iterable[Port], arrays: Mapping[str, Array], raw_ports: Iterable[Port], raw: Mapping[str, Array]
) -> dict[str, int]:
    """Axes of the model that the preprocess fixes (a batch of one): those that no raw input shares by name and size."""
    shared = {(name, size) for port in raw_ports for name, size in zip(port.shape, raw[port.name].shape, strict=True)}
    fixed = {}
    for port in ports:
        array = arrays[port.name]
        if array.ndim != len(port.shape):
            raise PluginError(
                f"the preprocess gives {port.name} of shape {list(array.shape)}, but the model takes {list(port.shape)}"
            )
        named = [(n, size) for n, size in zip(port.shape, array.shape, strict=True) if isinstance(n, str)]
        fixed.update({name: size for name, size in named if (name, size) not in shared})
    return fixed


def _joint(port: Port, prefix: str, fixed: Mapping[str, int]) -> Port:
    shape = tuple(fixed.get(size, size) if isinstance(size, str) else size for size in port.shape)
    return replace(port, name=prefix + port.name, shape=shape)


def _check_fixed(outer: onnx.ModelProto, ports: Iterable[Port], fixed: Mapping[str, int]) -> None:
    values = {value.name: value for value in outer.graph.output}
    for port in ports:
        for name, dim in zip(port.shape, values[IN + port.name].type.tensor_type.shape.dim, strict=True):
            if isinstance(name, str) and name in fixed and dim.dim_value != fixed[name]:
                raise PluginError(
                    f"the preprocess gives {port.name} a dynamic axis {dim.dim_param!r} where the model's is {name!r}",
                    hint="an axis that the pipeline keeps dynamic has the same name in both signatures of the task",
                )


def compose(outer: onnx.ModelProto, model: Graph, signature: Signature) -> onnx.ModelProto:
    """The model between preprocess and postprocess, as one graph.

    Values of the model keep their names, so that its initialisers can be identified, but where the pipeline's own
    ports need them; those of preprocess and postprocess begin with "ends/".
    """
    own = model.shipped.model
    around, inner = copy_of(outer), without_numbers(own)
    ports = {port.name for port in (*signature.inputs, *signature.outputs)}
    aside = {name: f"model/{name}" for name in ports}
    outputs = {OUT + port.name: aside.get(port.name, port.name) for port in model.signature.outputs}
    inputs = {port.name: f"{OUTER}{IN}{port.name}" for port in model.signature.inputs}
    rename(around.graph, lambda name: name if name in ports else outputs.get(name) or f"{OUTER}{name}")
    rename(inner.graph, lambda name: inputs.get(name) or aside.get(name, name))
    numbers = dict(zip((t.name for t in inner.graph.initializer), own.graph.initializer, strict=True))
    preprocess = ancestors(around.graph, inputs.values())
    first = [node for index, node in enumerate(around.graph.node) if index in preprocess]
    last = [node for index, node in enumerate(around.graph.node) if index not in preprocess]
    names = {port.name for port in signature.inputs}
    graph = onnx.helper.make_graph(
        [*first, *inner.graph.node, *last],
        "pipeline",
        [value for value in around.graph.input if value.name in names],
        [value for value in around.graph.output if value.name in ports],
        [*around.graph.initializer, *inner.graph.initializer],
    )
    composed = _wrap(graph, inner, functions=[*around.functions, *inner.functions])
    for tensor in composed.graph.initializer:
        if tensor.name in numbers and numbers[tensor.name].raw_data:
            tensor.raw_data = numbers[tensor.name].raw_data
    return composed


def _preprocess(outer: onnx.ModelProto, signature: Signature, joints: Iterable[Port]) -> onnx.ModelProto:
    names = {port.name for port in joints}
    kept = ancestors(outer.graph, names)
    inputs = {port.name for port in signature.inputs}
    graph = onnx.helper.make_graph(
        [node for index, node in enumerate(outer.graph.node) if index in kept],
        "prepare",
        [value for value in outer.graph.input if value.name in inputs],
        [value for value in outer.graph.output if value.name in names],
        list(outer.graph.initializer),
    )
    return _wrap(graph, outer, functions=list(outer.functions))


def _wrap(graph: onnx.GraphProto, like: onnx.ModelProto, *, functions: list[onnx.FunctionProto]) -> onnx.ModelProto:
    model = onnx.helper.make_model(
        graph, opset_imports=list(like.opset_import), ir_version=like.ir_version, functions=functions
    )
    model.producer_name, model.producer_version = like.producer_name, like.producer_version
    return model


def ancestors(graph: onnx.GraphProto, names: Iterable[str]) -> set[int]:
    """Indices of the nodes that these values are computed from."""
    wanted = set(names)
    indices = set()
    for index, node in reversed(list(enumerate(graph.node))):
        if wanted.intersection(node.output):
            indices.add(index)
            wanted.update(node.input)
            wanted.update(name for inner in subgraphs(node) for part in nodes(inner) for name in part.input)
    return indices


def rename(graph: onnx.GraphProto, new: Callable[[str], str]) -> None:
    """Rename every value in place, subgraphs included; the empty name of an input left out stays empty."""

    def each(names: MutableSequence[str]) -> None:
        names[:] = [new(name) if name else name for name in names]

    for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        value.name = new(value.name)
    for node in nodes(graph):
        node.name = new(node.name)
        each(node.input)
        each(node.output)
        for inner in subgraphs(node):
            for value in (*inner.input, *inner.output, *inner.initializer):
                value.name = new(value.name)
