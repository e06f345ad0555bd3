"""The noise of PyTorch beside one input, where its noise at that input alone is small by chance.

In a picture of one colour every position computes the same numbers, so that rounding is not averaged over them: the
case is a single throw of the dice, for PyTorch as for a file: in a convolutional network of fifty layers the noise
changes tenfold from one colour to the next.  A picture of one row is enlarged to one as uniform.  Inputs that are
darker or brighter are other throws.
A wrong file is wrong beside the input as well, and the noise is PyTorch's alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from zoo.bundle.judge.evidence import Magnitude
from zoo_export.reference.oracle import Oracle, ReferenceOutputs, distance, larger, magnitude, reference_outputs
from zoo_export.subject.results import Failed, Outputs

FACTORS: Final = (0.4, 0.6, 0.85, 1.2, 1.7, 2.6)
"""By which the numbers of an input are multiplied; none is a power of two, which rounds as the input itself does."""


def with_neighbour_noise(oracle: Oracle, inputs: Outputs, expected: ReferenceOutputs) -> ReferenceOutputs:
    """The same with the largest noise beside the input, where that is larger; unchanged for whole numbers."""
    if oracle.backends.double is None or any(value.dtype.kind != "f" for value in inputs.values()):
        return expected
    beside = [{name: (value * factor).astype(value.dtype) for name, value in inputs.items()} for factor in FACTORS]
    rows = [row for row in map(reference_outputs, oracle.runs(beside)) if not isinstance(row, Failed)]
    usual = {name: _relative(name, rows) for name in expected.noise}
    return replace(expected, noise=_larger(expected, usual))


def with_input_rounding(oracle: Oracle, inputs: Outputs, expected: ReferenceOutputs) -> ReferenceOutputs:
    """The same with how far the outputs move where every number of the input is rounded the other way.

    A preprocess may round as it likes; in a picture of one colour it rounds all numbers alike, and nothing averages
    that.  Unchanged for whole numbers.
    """
    if oracle.backends.double is None or any(value.dtype.kind != "f" for value in inputs.values()):
        return expected
    right = oracle.backends.run_double(inputs)
    sides = [
        oracle.backends.run_double({name: np.nextafter(value, value.dtype.type(end)) for name, value in inputs.items()})
        for end in (-np.inf, np.inf)
    ]
    noise = dict(expected.noise)
    for moved in sides:
        for name, own in noise.items():
            if right is not None and moved is not None:
                noise[name] = larger(own, distance(moved[name], right[name]))
    return replace(expected, noise=noise)


def _relative(name: str, rows: Sequence[ReferenceOutputs]) -> Magnitude:
    """The largest noise of these rows, in units of the scale of each."""
    scales = [magnitude(row.reference[name]) for row in rows]
    pairs = list(zip([row.noise[name] for row in rows], scales, strict=True))
    return Magnitude(
        rms=_largest([(noise.rms or 0.0) / scale.rms for noise, scale in pairs if scale.rms]),
        max=_largest([(noise.max or 0.0) / scale.max for noise, scale in pairs if scale.max]),
    )


def _largest(values: Sequence[float]) -> float:
    return max((value for value in values if np.isfinite(value)), default=0.0)


def _larger(expected: ReferenceOutputs, usual: Mapping[str, Magnitude]) -> dict[str, Magnitude]:
    noise = {}
    for name, own in expected.noise.items():
        scale = magnitude(expected.reference[name])
        beside = Magnitude(
            rms=(usual[name].rms or 0.0) * (scale.rms or 0.0), max=(usual[name].max or 0.0) * (scale.max or 0.0)
        )
        noise[name] = larger(own, beside)
    return noise
