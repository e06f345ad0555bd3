"""State that a graph carries from step to step: its first values, and sequences that are run in several pieces.

A roll-out takes one element at a time, and every step is compared; a split takes the sequence in two pieces, which must
give what the whole gives at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from zoo.api.task import Case, Port, Signature
from zoo.bundle.judge.cases import ROLLOUT_STEPS
from zoo.models.outputs import Array
from zoo.models.pipeline import TorchPipeline, without_state
from zoo_export.subject.ranges import sequence_axis
from zoo_export.subject.results import Outputs

Step = Callable[[Outputs], Outputs]
"""Inputs of one run to its outputs."""


def with_initial_state(cases: Sequence[Case], signature: Signature) -> tuple[Case, ...]:
    """The cases with the zeros that a sequence begins with, where they do not say what the state is."""
    if not signature.feedback:
        return tuple(cases)
    return tuple(replace(case, inputs={**case.inputs, **_missing_state(case, signature)}) for case in cases)


def _missing_state(case: Case, signature: Signature) -> dict[str, Array]:
    batch = len(case.inputs[signature.inputs[0].name])
    return {name: value for name, value in signature.initial_state(batch).items() if name not in case.inputs}


def with_carried_state(cases: Sequence[Case], pipeline: TorchPipeline) -> tuple[Case, ...]:
    """Every second case with the state that the one before it leaves; the others begin with zeros."""
    feedback = pipeline.model_signature.feedback
    if not feedback:
        return tuple(cases)
    carried: list[Case] = []
    state: Outputs = {}
    for case in with_initial_state(cases, pipeline.model_signature):
        inputs = {**case.inputs, **state}
        outputs = pipeline.outputs(pipeline.inputs(inputs))
        state = {} if state else {name: outputs[output] for name, output in feedback.items()}
        carried.append(replace(case, inputs=inputs))
    return tuple(carried)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One sequence in several runs, the state of each fed to the next."""

    case: Case
    """With the kind "rollout" or "split"; its inputs are the whole sequence and the state it begins with."""
    signature: Signature
    axis: str
    """The name of the axis that is cut."""
    cuts: tuple[int, ...]
    """Positions of the cuts along that axis, without its two ends."""

    @property
    def kind(self) -> Literal["rollout", "split"]:
        """One element at a time, or two pieces."""
        return "rollout" if self.case.kind == "rollout" else "split"

    @property
    def steps(self) -> int:
        """How many runs."""
        return len(self.cuts) + 1

    def pieces(self) -> Iterator[dict[str, Array]]:
        """The inputs of each run, without state."""
        ports = without_state(self.signature).inputs
        parts = {port.name: _cut(self.case.inputs[port.name], port, self.axis, self.cuts) for port in ports}
        for index in range(self.steps):
            yield {name: pieces[index] for name, pieces in parts.items()}

    def run(self, step: Step) -> dict[str, Array]:
        """The outputs of all runs: stacked for a roll-out, joined along the axis for a split."""
        feedback = self.signature.feedback
        state: Outputs = {name: self.case.inputs[name] for name in feedback}
        steps: list[Outputs] = []
        for piece in self.pieces():
            steps.append(step({**piece, **state}))
            state = {name: steps[-1][output] for name, output in feedback.items()}
        columns = {port: [outputs[port.name] for outputs in steps] for port in self.signature.outputs}
        if self.kind == "rollout":
            return {port.name: np.stack(values) for port, values in columns.items()}
        return {port.name: _joined(port, values, self.axis) for port, values in columns.items()}

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


def rollouts(cases: Sequence[Case], signature: Signature) -> tuple[Rollout, ...]:
    """A roll-out of 32 steps and a sequence in two pieces, from the first case that is long enough, if any."""
    axis = sequence_axis(signature)
    if not signature.feedback or axis is None:
        return ()
    port = next(port for port in signature.inputs if axis in port.shape)
    index = port.shape.index(axis)
    long = next((case for case in cases if case.gates and case.inputs[port.name].shape[index] >= ROLLOUT_STEPS), None)
    if long is None:
        return ()
    size = long.inputs[port.name].shape[index]
    first = {port.name: _cut(long.inputs[port.name], port, axis, (ROLLOUT_STEPS,))[0] for port in signature.inputs}
    stepwise = Case(name=f"{long.name}, step by step", kind="rollout", inputs=first, origin=long.origin)
    split = replace(long, name=f"{long.name}, in two pieces", kind="split")
    return (
        Rollout(case=stepwise, signature=signature, axis=axis, cuts=tuple(range(1, ROLLOUT_STEPS))),
        Rollout(case=split, signature=signature, axis=axis, cuts=(size * 2 // 5,)),
    )
