"""What pipeline.onnx computes, in PyTorch: preprocess, model and postprocess, called in one place for all.

Prediction answers with it, and the exporter's references, evaluation items and derived golden answers come from it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import nn
from torch.utils import _pytree as pytree

from zoo.api.errors import PluginError
from zoo.api.parts import Task, declares
from zoo.api.problem import Problem
from zoo.api.task import MARGIN, Signature
from zoo.models.adapter import signature_of
from zoo.models.outputs import Array, arguments, call


class StatePassthrough(nn.Module):
    """A task's preprocess or postprocess that hands the model's state through untouched.

    The name `module` stands in the initialisers of every pipeline.onnx with state.
    """

    def __init__(self, module: nn.Module, *, own: int, state: int) -> None:
        super().__init__()
        self.module = module
        self.raw: tuple[str, ...] = raw_inputs(module)
        self._own = own
        self._state = state

    def forward(self, *values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The module's own values, then the state, then raw inputs -> the module's outputs, then the state."""
        first, last = self._own, self._own + self._state
        outputs = pytree.tree_leaves(self.module(*values[:first], *values[last:]))
        # views: an output of a graph must not be one of its inputs
        return (*outputs, *(value.view_as(value) for value in values[first:last]))


def raw_inputs(postprocess: nn.Module) -> tuple[str, ...]:
    """The raw inputs that a postprocess reads beside the model's outputs, by name."""
    names: tuple[str, ...] = tuple(getattr(postprocess, "raw", ()))
    return names


def without_state(signature: Signature) -> Signature:
    """The signature without the ports of state."""
    inputs, outputs = signature.state
    return Signature(
        inputs=tuple(port for port in signature.inputs if port not in inputs),
        outputs=tuple(port for port in signature.outputs if port not in outputs),
    )


def with_state(task: Signature, model: Signature) -> Signature:
    """The task's signature with the ports that carry the model's state; PluginError unless those come last."""
    inputs, outputs = model.state
    if not inputs:
        return task
    if model.inputs[len(model.inputs) - len(inputs) :] != inputs or model.outputs[-len(outputs) :] != outputs:
        raise PluginError("a model's signature names its state last, among the inputs and among the outputs")
    return Signature(inputs=(*task.inputs, *inputs), outputs=(*task.outputs, *outputs))


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchPipeline:
    """Preprocess, model and postprocess in eval mode; all arrays go in and come out by port name.

    The model alone is on `device`, and in double precision where `double` is set; its preprocess always computes in
    single precision, as it does in training.
    """

    preprocess: nn.Module
    model: nn.Module
    postprocess: nn.Module
    signature: Signature
    """Of pipeline.onnx: raw inputs and answer, the model's state among them."""
    model_signature: Signature
    device: str = "cpu"
    double: bool = False
    """The model and the postprocess compute in double precision."""
    has_margin: bool = False
    """The postprocess chooses at each of many positions, and tells by a method `margin` how clearly."""

    def __call__(self, raw: Mapping[str, Array]) -> dict[str, Array]:
        """The answer to one raw input."""
        return self.answer(self.outputs(self.inputs(raw)), raw)

    def with_margin(self, raw: Mapping[str, Array]) -> dict[str, Array]:
        """The answer to one raw input, and how clear it is, where the postprocess tells."""
        return self.answer_with_margin(self.outputs(self.inputs(raw)), raw)

    def inputs(self, raw: Mapping[str, Array]) -> dict[str, Array]:
        """What the model reads of a raw input."""
        ports = Signature(inputs=self.signature.inputs, outputs=self.model_signature.inputs)
        return call(self.preprocess, raw, ports)

    def outputs(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The raw head of the model."""
        return call(self.model, inputs, self.model_signature, double=self.double, device=self.device)

    def answer(self, outputs: Mapping[str, Array], raw: Mapping[str, Array]) -> dict[str, Array]:
        """The answer that follows from the model's outputs."""
        ports, feeds = self._postprocess_ports(outputs, raw)
        return call(self.postprocess, feeds, ports, double=self.double)

    def answer_with_margin(self, outputs: Mapping[str, Array], raw: Mapping[str, Array]) -> dict[str, Array]:
        """The answer, and under the name `zoo.api.task.MARGIN` how clear it is, where the postprocess tells."""
        answer = self.answer(outputs, raw)
        if self.has_margin:
            ports, feeds = self._postprocess_ports(outputs, raw)
            with torch.no_grad():
                margin = cast("Any", self.postprocess).margin(*arguments(feeds, ports, double=self.double))
            answer[MARGIN] = margin.numpy()
        return answer

    def in_double(self, model: nn.Module) -> TorchPipeline:
        """The same pipeline around a copy of the model in double precision."""
        return replace(self, model=model, postprocess=copy.deepcopy(self.postprocess).double(), double=True)

    def _postprocess_ports(
        self, outputs: Mapping[str, Array], raw: Mapping[str, Array]
    ) -> tuple[Signature, dict[str, Array]]:
        """The model's outputs and the raw inputs beside them, under names that cannot clash."""
        names = raw_inputs(self.postprocess)
        beside = [port for port in self.signature.inputs if port.name in names]
        ports = (*self.model_signature.outputs, *(replace(port, name=f"raw {port.name}") for port in beside))
        feeds = {**outputs, **{f"raw {port.name}": raw[port.name] for port in beside}}
        return Signature(inputs=ports, outputs=self.signature.outputs), feeds


def torch_pipeline(
    task: Task, problem: Problem, module: nn.Module, *, signature: Signature | None = None, device: str = "cpu"
) -> TorchPipeline:
    """The pipeline of a module that is in eval mode and on `device`.

    `signature` is the module's own where it is not what its adapter or the task declares.
    """
    model = signature or signature_of(module, task, problem)
    inputs, outputs = model.state
    ports = with_state(task.graphs.signatures(problem).pipeline, model)
    preprocess, postprocess = task.graphs.preprocess(problem).eval(), task.graphs.postprocess(problem).eval()
    has_margin = declares(task.tags.has_margin, postprocess, "margin")
    if inputs:
        own = len(ports.inputs) - len(inputs)
        preprocess = StatePassthrough(preprocess, own=own, state=len(inputs)).eval()
    if outputs:
        own = len(model.outputs) - len(outputs)
        postprocess = StatePassthrough(postprocess, own=own, state=len(outputs)).eval()
    return TorchPipeline(
        preprocess=preprocess,
        model=module,
        postprocess=postprocess,
        signature=ports,
        model_signature=model,
        device=device,
        has_margin=has_margin and not outputs,
    )
