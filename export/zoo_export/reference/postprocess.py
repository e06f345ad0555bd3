"""What is right for pipeline.onnx: training-time preparing, the model in every arithmetic, the finishing."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import nn

from zoo.api.problem import ImageInput, Problem
from zoo.api.task import MARGIN, Case, Signature
from zoo.bundle.judge.evidence import Prepared
from zoo_export.capture.compose import raw_names
from zoo_export.reference.oracle import Runs
from zoo_export.subject.batching import batches, join, split
from zoo_export.subject.module_io import Array, arguments, call

TIES = 2e-3
"""Largest share of a prepared picture's values whose rounding may depend on the kernel (measured: 2.3e-4)."""


@runtime_checkable
class Choosing(Protocol):
    """A finishing that chooses for each of many places and tells how clearly."""

    def margin(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Of the same inputs, float of the answer's shape: how far what was chosen stands above the next."""


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
            double = self.double(runs.double, raw)
        before = None
        if runs.moved_from is not None:
            before = self.double(runs.moved_from, raw)
        single = {name: self.single(outputs, raw) for name, outputs in runs.single.items()}
        ways = () if runs.rows is None else runs.rows.ways()
        return Runs(double, single, moved_from=before, others=tuple(self.double(one, raw) for one in ways))

    def double(self, outputs: Mapping[str, Array], raw: Mapping[str, Array]) -> dict[str, Array]:
        """The answer in double precision."""
        return self._answer(self._double, outputs, raw, double=True)

    def single(self, outputs: Mapping[str, Array], raw: Mapping[str, Array]) -> dict[str, Array]:
        """The answer in plain fp32."""
        return self._answer(self._single, outputs, raw)

    def _answer(
        self, finish: nn.Module, outputs: Mapping[str, Array], raw: Mapping[str, Array], *, double: bool = False
    ) -> dict[str, Array]:
        """The answer, with its margin where the finishing tells one."""
        inputs = {**outputs, **{port: raw[name] for port, name in self._raw.items()}}
        answer = call(finish, inputs, self._signature, double=double)
        if isinstance(finish, Choosing):
            with torch.no_grad():
                answer[MARGIN] = finish.margin(*arguments(inputs, self._signature, double=double)).numpy()
        return answer


def in_levels(given: Mapping[str, Array], right: Mapping[str, Array], problem: Problem) -> Prepared | None:
    """The file's own prepared picture against the training-time one; None where no picture is prepared."""
    apart = _levels_apart(given, right, problem)
    if apart is None:
        return None
    return Prepared(
        against="training",
        elements=int(apart.size),
        differing=int(np.count_nonzero(apart > 0.5)),
        far=int(np.count_nonzero(apart > 1.25)),
    )


def rounded_otherwise(given: Mapping[str, Array], right: Mapping[str, Array], problem: Problem) -> bool:
    """Whether the file's prepared picture is the training-time one but for a few pixels, one whole level off.

    Preparing rounds to whole levels.  Two resizing kernels differ by up to 0.011 levels before they round (PyTorch's
    own fp32 and fp64 by 0.006), so a pixel near a half falls on either side, and both pictures are as right.
    """
    apart = _levels_apart(given, right, problem)
    if apart is None or not apart.size:
        return False
    share = float(np.mean(apart > 0.5))
    whole = bool(np.all(np.abs(apart - np.round(apart)) < 0.01))
    return 0 < share <= TIES and whole and float(apart.max()) < 1.5


def _levels_apart(given: Mapping[str, Array], right: Mapping[str, Array], problem: Problem) -> Array | None:
    if not isinstance(problem.input, ImageInput):
        return None
    if any(given[name].shape != value.shape for name, value in right.items()):
        return np.full(sum(value.size for value in right.values()), np.inf)
    std = np.asarray(problem.input.std, dtype=np.float64).reshape(1, -1, 1, 1) * 255.0
    levels = [(np.abs(given[name] - value) * std).ravel() for name, value in right.items() if value.ndim == 4]
    return np.concatenate(levels) if levels else None


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
