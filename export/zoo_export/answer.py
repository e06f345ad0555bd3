"""What is right for pipeline.onnx: training-time preparing, the model in every arithmetic, the finishing."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from torch import nn

from zoo.judge.evidence import Prepared
from zoo.problem import ImageInput, Problem
from zoo.task import Case, Signature
from zoo_export.pipeline import raw_names
from zoo_export.ports import Array, call
from zoo_export.reference import Answer, Runs, settle
from zoo_export.stacking import batches, join, split

NUDGE = 2.0**-6
"""Grey levels: above what two resizing kernels differ by before they round (measured: 0.011; PyTorch's own fp32 is
0.006 from its fp64)."""


class Finisher:
    """The task's finishing, in every arithmetic that the model ran in."""

    def __init__(self, finish: nn.Module, model: Signature, pipeline: Signature) -> None:
        self._single = finish
        self._double = copy.deepcopy(finish).double()
        raw = tuple(port for port in pipeline.inputs if port.name in raw_names(finish))
        self._raw = {f"raw {port.name}": port.name for port in raw}
        after = tuple(replace(port, name=f"raw {port.name}") for port in raw)
        self._signature = Signature(inputs=(*model.outputs, *after), outputs=pipeline.outputs)

    def runs(self, runs: Runs, raw: Mapping[str, Array]) -> Runs:
        """The answers that follow from a model's raw outputs."""
        if runs.error:
            return runs
        double = None
        if runs.double is not None:
            double = call(self._double, self._inputs(runs.double, raw), self._signature, double=True)
        before = None
        if runs.moved_from is not None:
            before = call(self._double, self._inputs(runs.moved_from, raw), self._signature, double=True)
        single = {name: self.single(outputs, raw) for name, outputs in runs.single.items()}
        return Runs(double, single, moved_from=before)

    def single(self, outputs: Mapping[str, Array], raw: Mapping[str, Array]) -> dict[str, Array]:
        """The answer in plain fp32."""
        return call(self._single, self._inputs(outputs, raw), self._signature)

    def _inputs(self, outputs: Mapping[str, Array], raw: Mapping[str, Array]) -> dict[str, Array]:
        return {**outputs, **{port: raw[name] for port, name in self._raw.items()}}


def rounded_alike(
    case: Case, given: Mapping[str, Array], right: Mapping[str, Array], *, prepare: nn.Module, signature: Signature
) -> bool:
    """Whether the file's prepared input is PyTorch's own but for the rounding of ties, and differs at all.

    Preparing rounds to whole grey levels; where two resizing kernels differ in the last bits, a pixel may fall on
    either side.  A difference is a tie when PyTorch gives the file's value for a picture nudged by 2**-6 levels.
    """
    tied: dict[str, Array] = {name: np.zeros(value.shape, dtype=bool) for name, value in right.items()}
    for nudge in (-NUDGE, NUDGE):
        raw = {
            name: value.astype(np.float32) + np.float32(nudge) if value.dtype == np.uint8 else value
            for name, value in case.inputs.items()
        }
        for name, moved in call(prepare, raw, signature).items():
            tied[name] |= _near(given[name], moved)
    apart = {name: ~_near(given[name], value) for name, value in right.items()}
    return any(one.any() for one in apart.values()) and all(bool(tied[name][one].all()) for name, one in apart.items())


def _near(one: Array, other: Array) -> Array:
    if one.shape != other.shape:
        return np.zeros(other.shape, dtype=bool)
    return np.isclose(one, other, rtol=1e-5, atol=1e-4)


def in_levels(given: Mapping[str, Array], right: Mapping[str, Array], problem: Problem) -> Prepared | None:
    """The file's own prepared picture against the training-time one; None where no picture is prepared."""
    if not isinstance(problem.input, ImageInput):
        return None
    std = np.asarray(problem.input.std, dtype=np.float64).reshape(1, -1, 1, 1) * 255.0
    apart = [np.abs(given[name] - value) * std for name, value in right.items() if value.ndim == 4]
    levels = np.concatenate([one.ravel() for one in apart]) if apart else np.zeros(0)
    return Prepared(
        against="training",
        elements=int(levels.size),
        differing=int(np.count_nonzero(levels > 0.5)),
        far=int(np.count_nonzero(levels > 1.25)),
    )


def eager_answers(
    cases: Sequence[Case],
    *,
    prepare: nn.Module,
    module: nn.Module,
    finisher: Finisher,
    model: Signature,
    pipeline: Signature,
) -> list[dict[str, Array]]:
    """Plain eager PyTorch from raw input to answer; the model sees batches where it can."""
    signature = Signature(inputs=pipeline.inputs, outputs=model.inputs)
    prepared = [call(prepare, case.inputs, signature) for case in cases]
    answers: dict[int, dict[str, Array]] = {}
    for places in batches(prepared, model, largest=64):
        outputs = call(module, join([prepared[place] for place in places], model.inputs), model)
        rows = split(outputs, model, [1] * len(places)) if len(places) > 1 else [outputs]
        answers |= {place: finisher.single(row, cases[place].inputs) for place, row in zip(places, rows, strict=True)}
    return [answers[place] for place in range(len(cases))]
