"""What a preprocess gives where a device rounds its ties the other way.

A picture's preprocess ends in whole levels.  A device that adds the same numbers in another order gets sums that are a
little off, and where such a sum is next to a half, its level is another one: as right, and a whole level off.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from zoo.api.task import Signature
from zoo.bundle.judge.evidence import Magnitude
from zoo.models.outputs import call
from zoo_export.reference.backends import OperatorMode
from zoo_export.reference.oracle import BackendRuns, Oracle, distance
from zoo_export.reference.postprocess import PipelinePair
from zoo_export.subject.results import Failed, Outputs

ROUNDING: Final = tuple(getattr(torch.ops.aten, name).default for name in ("floor", "ceil", "round", "trunc"))
"""What makes whole numbers of sums."""
SIDES: Final = 2
"""PyTorch and the device: each may be off by so much."""


class _Roundings(OperatorMode):  # type: ignore[no-untyped-call]
    """Keeps what goes into every rounding and what comes out of it.

    `shifts` are added to what goes in, `results` come out instead; one for each rounding, in order.
    """

    def __init__(self, *, shifts: Sequence[float] = (), results: Sequence[torch.Tensor] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.shifts, self.results = shifts, results
        self.before: list[torch.Tensor] = []
        self.after: list[torch.Tensor] = []

    def computed(self, func: Any, args: Any, kwargs: Any) -> Any:
        if func not in ROUNDING:
            return func(*args, **kwargs)
        (value,), number = args, len(self.before)
        self.before.append(value)
        result = func(value + self.shifts[number] if self.shifts else value)
        self.after.append(self.results[number].to(result.dtype) if self.results else result)
        return self.after[-1]


def otherwise_rounded(preprocess: nn.Module, raw: Outputs, ports: Signature) -> tuple[Outputs, ...]:
    """What `preprocess` gives with the one and with the other half of its ties rounded the other way.

    A tie is a sum that twice PyTorch's largest error in fp32 moves across the border between two whole numbers: once
    for PyTorch, once for the device.  The error is measured at each rounding, against the same sums in double
    precision.  Empty where there are no ties.
    """
    own = _Roundings()
    with own:
        expected = call(preprocess, raw, ports)
    if not own.before:
        return ()
    exact = _Roundings(results=own.after)  # the next sums begin with the same numbers
    with exact:
        call(copy.deepcopy(preprocess).double(), raw, ports, double=True)
    spans = [
        SIDES * float((wide - value.double()).abs().max()) for value, wide in zip(own.before, exact.before, strict=True)
    ]
    sides = []
    for sign in (-1, 1):
        with _Roundings(shifts=[sign * span for span in spans]):
            sides.append(call(preprocess, raw, ports))
    halves = [{name: _half_moved(value, name, sides, half) for name, value in expected.items()} for half in (0, 1)]
    return tuple(half for half in halves if any((half[name] != value).any() for name, value in expected.items()))


def _half_moved(expected: np.ndarray[Any, Any], name: str, sides: Sequence[Outputs], half: int) -> Any:
    """Every second of the values that a side gives otherwise, from the first or from the second on."""
    down, up = sides[0][name].ravel(), sides[1][name].ravel()
    value = expected.ravel().copy()
    ties = np.flatnonzero((down != value) | (up != value))[half::2]
    value[ties] = np.where(down[ties] != value[ties], down[ties], up[ties])
    return value.reshape(expected.shape)


def moved_by_ties(
    oracle: Oracle, pipelines: PipelinePair, runs: BackendRuns | Failed, raw: Outputs
) -> dict[str, Magnitude]:
    """How far the answers to a raw input move with its ties, per float output, in double precision."""
    if isinstance(runs, Failed) or (own := runs.unmoved or runs.double) is None:
        return {}
    single = pipelines.single
    ports = Signature(inputs=single.signature.inputs, outputs=single.model_signature.inputs)
    expected = pipelines.double.answer(own.outputs, raw)
    nothing = Magnitude(rms=0.0, max=0.0)
    moved = {name: nothing for name, value in expected.items() if value.dtype.kind == "f"}
    for inputs in otherwise_rounded(single.preprocess, raw, ports):
        outputs = oracle.backends.run_double(inputs)
        assert outputs is not None, "double precision ran before"
        answer = pipelines.double.answer(outputs, raw)
        for name, size in moved.items():
            if answer[name].shape == expected[name].shape:
                moved[name] = _together(size, distance(answer[name], expected[name]))
    return moved


def _together(first: Magnitude, second: Magnitude) -> Magnitude:
    """Both moves, if they went the same way."""
    return Magnitude(rms=(first.rms or 0.0) + (second.rms or 0.0), max=(first.max or 0.0) + (second.max or 0.0))
