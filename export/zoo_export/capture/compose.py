"""What the device has in, the answer out: preparing, model and finishing as one graph.

The two ends are captured together, once, and the captured model is put between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableSequence
from dataclasses import dataclass, replace

import onnx
import torch
from torch import nn

from zoo.api.errors import PluginError
from zoo.api.task import Port, Signature
from zoo.models.outputs import flatten
from zoo_export.capture.onnx_graph import copy_of, nodes, subgraphs
from zoo_export.capture.torch_export import Graph, export_graph
from zoo_export.subject.cases import Sizes
from zoo_export.subject.module_io import Array, call

IN, OUT = "prepared_", "model_"
"""What a model's ports are called at the joints, because `image` may go in and come out."""


class Ends(nn.Module):
    """Preparing and finishing side by side: (raw inputs, model outputs) -> (model inputs, answer)."""

    def __init__(self, prepare: nn.Module, finish: nn.Module, *, pipeline: Signature, model: Signature) -> None:
        super().__init__()
        self.prepare = prepare
        self.finish = finish
        self._pipeline = pipeline
        self._model = model

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Both, in the order of the signatures."""
        count = len(self._pipeline.inputs)
        prepared = flatten(self.prepare(*inputs[:count]), self._model.inputs)
        places = {port.name: place for place, port in enumerate(self._pipeline.inputs)}
        raw = [inputs[places[name]] for name in raw_names(self.finish)]
        answer = flatten(self.finish(*inputs[count:], *raw), self._pipeline.outputs)
        return (*prepared.values(), *answer.values())


def raw_names(finish: nn.Module) -> tuple[str, ...]:
    """Raw inputs that a finishing needs beside the model's outputs."""
    names: tuple[str, ...] = tuple(getattr(finish, "raw", ()))
    return names


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The whole graph, and its beginning alone."""

    shipped: onnx.ModelProto
    prepare: onnx.ModelProto
    """Raw inputs to model inputs, the latter under `prepared_` names: for looking at what the model is fed."""
    elsewhere: tuple[Sizes, ...] = ()
    """As those of a `Graph`."""


def export_pipeline(
    prepare: nn.Module,
    model: Graph,
    finish: nn.Module,
    *,
    signature: Signature,
    raw: Mapping[str, Array],
    answers: Mapping[str, Array],
    opset: int,
) -> Pipeline:
    """Compose the pipeline around a captured model; `raw` is one raw input, `answers` what the model says to it."""
    inputs = call(prepare, raw, Signature(inputs=signature.inputs, outputs=model.signature.inputs))
    fixed = _fixed_axes(model.signature.inputs, inputs, signature.inputs, raw)
    ins = tuple(_joint(port, IN, fixed) for port in model.signature.inputs)
    outs = tuple(_joint(port, OUT, fixed) for port in model.signature.outputs)
    both = Signature(inputs=(*signature.inputs, *outs), outputs=(*ins, *signature.outputs))
    example = {**raw, **{OUT + name: value for name, value in answers.items()}}
    module = Ends(prepare, finish, pipeline=signature, model=model.signature).eval()
    captured = export_graph(module, example, both, opset=opset, name="the preparing and finishing")
    ends = captured.shipped
    _check_fixed(ends, model.signature.inputs, fixed)
    names = {name for port in signature.inputs for name in port.shape if isinstance(name, str)}
    sizes = tuple(one for one in (*captured.elsewhere, *model.elsewhere) if names.issuperset(one))
    whole = compose(ends, model, signature)
    return Pipeline(shipped=whole, prepare=_beginning(ends, signature, ins), elsewhere=sizes)


def _fixed_axes(
    ports: Iterable[Port], arrays: Mapping[str, Array], raw_ports: Iterable[Port], raw: Mapping[str, Array]
) -> dict[str, int]:
    """Axes of the model that the preparing fixes (a batch of one): those that no raw input shares by name and size."""
    shared = {(name, size) for port in raw_ports for name, size in zip(port.shape, raw[port.name].shape, strict=True)}
    fixed = {}
    for port in ports:
        array = arrays[port.name]
        if array.ndim != len(port.shape):
            raise PluginError(
                f"the preparing gives {port.name} of shape {list(array.shape)}, but the model takes {list(port.shape)}"
            )
        named = [(n, size) for n, size in zip(port.shape, array.shape, strict=True) if isinstance(n, str)]
        fixed.update({name: size for name, size in named if (name, size) not in shared})
    return fixed


def _joint(port: Port, prefix: str, fixed: Mapping[str, int]) -> Port:
    shape = tuple(fixed.get(size, size) if isinstance(size, str) else size for size in port.shape)
    return replace(port, name=prefix + port.name, shape=shape)


def _check_fixed(ends: onnx.ModelProto, ports: Iterable[Port], fixed: Mapping[str, int]) -> None:
    values = {value.name: value for value in ends.graph.output}
    for port in ports:
        for name, dim in zip(port.shape, values[IN + port.name].type.tensor_type.shape.dim, strict=True):
            if isinstance(name, str) and name in fixed and dim.dim_value != fixed[name]:
                raise PluginError(
                    f"the preparing gives {port.name} a dynamic axis {dim.dim_param!r} where the model's is {name!r}",
                    hint="an axis that the pipeline keeps dynamic has the same name in both signatures of the task",
                )


def compose(ends: onnx.ModelProto, model: Graph, signature: Signature) -> onnx.ModelProto:
    """The model between its two ends, as one graph.

    Values of the model keep their names, so that its initialisers can be told again, but where the pipeline's own
    ports need them; those of the ends begin with "ends/".
    """
    outer, inner = copy_of(ends), copy_of(model.shipped)
    ports = {port.name for port in (*signature.inputs, *signature.outputs)}
    aside = {name: f"model/{name}" for name in ports}
    joints = {OUT + port.name: aside.get(port.name, port.name) for port in model.signature.outputs}
    entries = {port.name: f"ends/{IN}{port.name}" for port in model.signature.inputs}
    rename(outer.graph, lambda name: name if name in ports else joints.get(name) or f"ends/{name}")
    rename(inner.graph, lambda name: entries.get(name) or aside.get(name, name))
    before = _reaching(outer.graph, entries.values())
    first = [node for at, node in enumerate(outer.graph.node) if at in before]
    last = [node for at, node in enumerate(outer.graph.node) if at not in before]
    names = {port.name for port in signature.inputs}
    graph = onnx.helper.make_graph(
        [*first, *inner.graph.node, *last],
        "pipeline",
        [value for value in outer.graph.input if value.name in names],
        [value for value in outer.graph.output if value.name in ports],
        [*outer.graph.initializer, *inner.graph.initializer],
    )
    return _wrap(graph, inner, functions=[*outer.functions, *inner.functions])


def _beginning(ends: onnx.ModelProto, signature: Signature, joints: Iterable[Port]) -> onnx.ModelProto:
    names = {port.name for port in joints}
    kept = _reaching(ends.graph, names)
    inputs = {port.name for port in signature.inputs}
    graph = onnx.helper.make_graph(
        [node for at, node in enumerate(ends.graph.node) if at in kept],
        "prepare",
        [value for value in ends.graph.input if value.name in inputs],
        [value for value in ends.graph.output if value.name in names],
        list(ends.graph.initializer),
    )
    return _wrap(graph, ends, functions=list(ends.functions))


def _wrap(graph: onnx.GraphProto, like: onnx.ModelProto, *, functions: list[onnx.FunctionProto]) -> onnx.ModelProto:
    model = onnx.helper.make_model(
        graph, opset_imports=list(like.opset_import), ir_version=like.ir_version, functions=functions
    )
    model.producer_name, model.producer_version = like.producer_name, like.producer_version
    return model


def _reaching(graph: onnx.GraphProto, names: Iterable[str]) -> set[int]:
    """The nodes, by place, that these values need."""
    wanted = set(names)
    found = set()
    for at, node in reversed(list(enumerate(graph.node))):
        if wanted.intersection(node.output):
            found.add(at)
            wanted.update(node.input)
            wanted.update(name for inner in subgraphs(node) for part in nodes(inner) for name in part.input)
    return found


def rename(graph: onnx.GraphProto, new: Callable[[str], str]) -> None:
    """Rename every value, subgraphs included; the empty name stays what it is: an input left out."""

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
