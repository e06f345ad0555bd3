"""State that a graph carries from step to step: past the pipeline's two ends, through roll-outs, over a cut.

A walk puts a sequence to a graph in several runs, the state fed back.  A roll-out takes one element at a time, and
every step is compared; a split takes the sequence in two pieces, which must give what the whole gives at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import nn
from torch.utils import _pytree as pytree

from zoo.api.errors import PluginError
from zoo.api.task import Case, Port, Signature
from zoo.bundle.judge.cases import ROLLOUT_STEPS
from zoo_export.subject.batching import batch_name
from zoo_export.subject.module_io import Array, call

Step = Callable[[Mapping[str, Array]], Mapping[str, Array]]


class Past(nn.Module):
    """A task's preparing or finishing, with state handed past it."""

    def __init__(self, module: nn.Module, *, own: int, state: int) -> None:
        super().__init__()
        self.module = module
        self.raw: tuple[str, ...] = tuple(getattr(module, "raw", ()))
        self._own = own
        self._state = state

    def forward(self, *values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The module's own values, then the state, then raw ones -> what the module gives, then the state."""
        first, last = self._own, self._own + self._state
        given = pytree.tree_leaves(self.module(*values[:first], *values[last:]))
        # views: what goes out of a graph must not be what came in
        return (*given, *(one.view_as(one) for one in values[first:last]))


def stateless(signature: Signature) -> Signature:
    """The signature without the ports of state."""
    inputs, outputs = signature.state
    return Signature(
        inputs=tuple(port for port in signature.inputs if port not in inputs),
        outputs=tuple(port for port in signature.outputs if port not in outputs),
    )


def with_state(task: Signature, model: Signature) -> Signature:
    """The task's signature with the ports that carry the model's state; PluginError unless those come last."""
    inputs, outputs = model.state
    if model.inputs[len(model.inputs) - len(inputs) :] != inputs or model.outputs[-len(outputs) :] != outputs:
        raise PluginError("a model's signature names its state last, among the inputs and among the outputs")
    return Signature(inputs=(*task.inputs, *inputs), outputs=(*task.outputs, *outputs))


def begun(cases: Sequence[Case], signature: Signature) -> tuple[Case, ...]:
    """The cases with the zeros that a sequence begins with, where they say nothing of the state."""
    if not signature.feedback:
        return tuple(cases)
    first = signature.inputs[0].name
    return tuple(
        replace(case, inputs={**case.inputs, **_missing(case, signature.initial_state(len(case.inputs[first])))})
        for case in cases
    )


def _missing(case: Case, state: Mapping[str, Array]) -> dict[str, Array]:
    return {name: value for name, value in state.items() if name not in case.inputs}


def continued(
    cases: Sequence[Case], prepare: nn.Module, module: nn.Module, *, raw: Signature, model: Signature
) -> tuple[Case, ...]:
    """Every second case with the state that the one before it leaves; the others begin with zeros."""
    if not model.feedback:
        return tuple(cases)
    ends = Signature(inputs=raw.inputs, outputs=model.inputs)
    made: list[Case] = []
    state: Mapping[str, Array] = {}
    for case in begun(cases, model):
        here = replace(case, inputs={**case.inputs, **state})
        outputs = call(module, call(prepare, here.inputs, ends), model)
        state = {} if state else {name: outputs[output] for name, output in model.feedback.items()}
        made.append(here)
    return tuple(made)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One sequence in several runs."""

    case: Case
    """With the kind "rollout" or "split"; its inputs are the whole sequence and the state it begins with."""
    signature: Signature
    axis: str
    """The name of the axis that is cut."""
    cuts: tuple[int, ...]
    """Where, not counting both ends."""

    @property
    def kind(self) -> Literal["rollout", "split"]:
        """What it is for."""
        return "rollout" if self.case.kind == "rollout" else "split"

    @property
    def steps(self) -> int:
        """How many runs."""
        return len(self.cuts) + 1

    def pieces(self) -> Iterator[dict[str, Array]]:
        """The inputs of each run, without state."""
        ports = stateless(self.signature).inputs
        parts = {port.name: _cut(self.case.inputs[port.name], port, self.axis, self.cuts) for port in ports}
        for number in range(self.steps):
            yield {name: some[number] for name, some in parts.items()}

    def follow(self, step: Step) -> dict[str, Array]:
        """All runs, each fed the state of the one before: stacked for a roll-out, put together for a split."""
        feedback = self.signature.feedback
        state = {name: self.case.inputs[name] for name in feedback}
        answers = []
        for piece in self.pieces():
            answers.append(step({**piece, **state}))
            state = {name: answers[-1][output] for name, output in feedback.items()}
        if self.kind == "rollout":
            return {port.name: np.stack([one[port.name] for one in answers]) for port in self.signature.outputs}
        return {
            port.name: _joined(port, [one[port.name] for one in answers], self.axis) for port in self.signature.outputs
        }

    def stacked(self) -> dict[str, Array]:
        """The inputs of a roll-out as golden cases hold them: those of every step, and the first state."""
        pieces = list(self.pieces())
        state = {name: self.case.inputs[name] for name in self.signature.feedback}
        return {**{name: np.stack([piece[name] for piece in pieces]) for name in pieces[0]}, **state}


def _cut(value: Array, port: Port, axis: str, cuts: Sequence[int]) -> list[Array]:
    if axis not in port.shape:
        return [value] * (len(cuts) + 1)
    return np.split(value, cuts, port.shape.index(axis))


def _joined(port: Port, parts: Sequence[Array], axis: str) -> Array:
    return np.concatenate(parts, port.shape.index(axis)) if axis in port.shape else parts[-1]


def walks(cases: Sequence[Case], signature: Signature) -> tuple[Walk, ...]:
    """A roll-out of 32 steps and a sequence in two pieces, from the first case that is long enough."""
    axis = _sequence_axis(signature)
    if not signature.feedback or axis is None:
        return ()
    port = next(port for port in signature.inputs if axis in port.shape)
    place = port.shape.index(axis)
    long = [case for case in cases if case.gates and case.inputs[port.name].shape[place] >= ROLLOUT_STEPS]
    if not long:
        return ()
    size = long[0].inputs[port.name].shape[place]
    first = {one.name: _cut(long[0].inputs[one.name], one, axis, (ROLLOUT_STEPS,))[0] for one in signature.inputs}
    name = long[0].name
    rollout = Case(name=f"{name}, step by step", kind="rollout", inputs=first, origin=long[0].origin)
    split = replace(long[0], name=f"{name}, in two pieces", kind="split")
    return (
        Walk(case=rollout, signature=signature, axis=axis, cuts=tuple(range(1, ROLLOUT_STEPS))),
        Walk(case=split, signature=signature, axis=axis, cuts=(size * 2 // 5,)),
    )


def _sequence_axis(signature: Signature) -> str | None:
    """The dynamic axis along which a sequence goes on: the first that is not the batch."""
    batch = batch_name(signature)
    names = [size for port in stateless(signature).inputs for size in port.shape if isinstance(size, str)]
    return next((name for name in names if name != batch), None)
