"""One output of the file against what is right: numbers only, no verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoo.api.task import MARGIN, Case, Port, Signature
from zoo.bundle.judge.evidence import CaseEvidence, Compare, LiveOutput, Magnitude, OutputError, Precision
from zoo.bundle.judge.parity_rule import ILL_CONDITIONED, MAX_OVER_MEDIAN
from zoo.models.outputs import Array
from zoo_export.reference.oracle import ReferenceOutputs, magnitude
from zoo_export.reference.strategy import TIE_NOISE
from zoo_export.subject.results import Failed, Outputs, RuntimeOutputs


def compare_kind(port: Port, signature: Signature) -> Compare:
    """How an output is judged: outputs of data-dependent length by the task, pictures in levels, floats by the rule."""
    known = {size for port in signature.inputs for size in port.shape}
    if any(isinstance(size, str) and size not in known for size in port.shape):
        return "agreement"
    if port.dtype.startswith("float"):
        return "rule"
    return "levels" if port.dtype == "uint8" and len(port.shape) >= 3 else "equal"


def compare_case(
    case: Case,
    actual: RuntimeOutputs,
    expected: ReferenceOutputs | Failed,
    signature: Signature,
    *,
    exact: bool = False,
) -> CaseEvidence:
    """Everything measured about one case; with `exact`, outputs of free length too are compared number by number."""
    shapes = {name: tuple(value.shape) for name, value in case.inputs.items()}
    evidence = CaseEvidence(name=case.name, kind=case.kind, gates=case.gates, inputs=shapes)
    if isinstance(expected, Failed):
        return replace(evidence, reference_error=expected.reason)
    if isinstance(actual, Failed):
        return replace(evidence, error=actual.reason)
    outputs = [
        compare_output(port, actual, expected, signature, exact=exact)
        for port in signature.outputs
        if port.name in actual
    ]
    return replace(evidence, outputs=tuple(outputs))


def compare_output(
    port: Port, outputs: Outputs, expected: ReferenceOutputs, signature: Signature, *, exact: bool = False
) -> OutputError:
    """One output of one case."""
    name = port.name
    actual, reference, single = outputs[name], expected.reference[name], expected.single[name]
    selection = expected.matching.is_selection(name)
    kind = compare_kind(port, signature)
    if kind == "agreement" and exact:
        kind = "rule" if port.dtype.startswith("float") else "equal"
    if kind == "equal" and (selection or MARGIN in expected.reference):
        kind = "choice"
    facts = OutputError(
        name=name,
        compare=kind,
        dtype=str(actual.dtype),
        reference_dtype=str(single.dtype),
        shape=tuple(actual.shape),
        reference_shape=tuple(reference.shape),
        finite=_finite(actual),
        reference_finite=_finite(reference),
        noise_measured=expected.has_noise,
    )
    if kind == "agreement":
        return replace(facts, torch=expected.noise.get(name))
    if actual.shape != reference.shape:
        return facts
    if kind == "rule":
        return _by_rule(facts, *expected.matching.pair(name, outputs, expected.reference), expected)
    if kind == "choice" and selection:
        counts = expected.matching.count(name, outputs, expected.reference)
        return replace(
            facts, elements=counts.parts, differing=counts.wrong, far=counts.different, undecided=counts.tied
        )
    if kind == "choice":
        return _by_margin(facts, actual, reference, expected)
    return _by_count(facts, actual, reference, single)


def _by_rule(facts: OutputError, actual: Array, reference: Array, expected: ReferenceOutputs) -> OutputError:
    error = actual.astype(np.float64) - reference
    return replace(
        facts,
        scale=magnitude(reference),
        onnx=magnitude(error),
        torch=expected.noise[facts.name],
        torch_typical=expected.typical.get(facts.name),
        sqnr_db=_sqnr(reference, error),
    )


def _by_count(facts: OutputError, actual: Array, reference: Array, single: Array) -> OutputError:
    difference = np.abs(actual.astype(np.int64) - reference.astype(np.int64))
    decided = single == reference if facts.compare == "equal" else np.ones(reference.shape, dtype=bool)
    return replace(
        facts,
        elements=int(np.count_nonzero(decided)),
        differing=int(np.count_nonzero(difference[decided])),
        far=int(np.count_nonzero(difference > 1)),
    )


def _by_margin(facts: OutputError, actual: Array, reference: Array, expected: ReferenceOutputs) -> OutputError:
    """A choice per position; positions whose margin is at most ten times the noise are ties, and are left out."""
    noise = expected.noise[MARGIN]
    differing = actual != reference
    tied = ~(expected.reference[MARGIN] > TIE_NOISE * (noise.max or 0.0))
    return replace(
        facts,
        torch=noise,
        elements=int(differing.size),
        differing=int(np.count_nonzero(differing & ~tied)),
        far=int(np.count_nonzero(differing)),
        undecided=int(np.count_nonzero(tied)),
    )


def _finite(values: Array) -> bool:
    return bool(np.isfinite(values).all()) if np.issubdtype(values.dtype, np.floating) else True


def _sqnr(reference: Array, error: Array) -> float | None:
    with np.errstate(invalid="ignore", over="ignore"):  # of answers that are not finite nothing is judged
        centred = float(np.square(reference - reference.mean()).sum()) if reference.size else 0.0
        noise = float(np.square(error).sum())
    if not (0 < noise < np.inf and 0 < centred < np.inf):
        return None
    return float(10 * np.log10(centred / noise))


def liveness(
    signature: Signature,
    references: Sequence[ReferenceOutputs],
    outputs: Sequence[Outputs],
    *,
    precision: Precision = "float32",
) -> tuple[LiveOutput, ...]:
    """How every output moves between inputs whose outputs have the same shape.

    Where PyTorch itself cannot tell right from wrong, its noise says nothing about the others; such inputs are left
    out, as long as there are two others.
    """
    return tuple(
        _live(port, references, outputs, free=compare_kind(port, signature) == "agreement", precision=precision)
        for port in signature.outputs
    )


def _live(
    port: Port, references: Sequence[ReferenceOutputs], outputs: Sequence[Outputs], *, free: bool, precision: Precision
) -> LiveOutput:
    rows = [
        _Row(name=port.name, expected=expected, outputs=actual)
        for expected, actual in zip(references, outputs, strict=True)
    ]
    sure = [row for row in rows if free or row.is_sure(precision)]
    compared = sure if len(sure) > 1 else rows
    groups: dict[tuple[int, ...], list[_Row]] = {}
    for row in compared:
        shape, actual = row.reference.shape, row.actual.shape
        if shape == actual and 0 not in shape:
            groups.setdefault(tuple(shape), []).append(row)
    if not groups:
        return LiveOutput(name=port.name, inputs=0, spread=None, noise=None, onnx_spread=None)
    several = [group for group in groups.values() if len(group) > 1]
    if not several and len(groups) > 1:  # outputs of different shapes differ
        return LiveOutput(name=port.name, inputs=len(compared), spread=1.0, noise=0.0, onnx_spread=1.0)
    # a small group may hold one picture twice; a dead output is dead in all of them
    moved = [_moved(port, group, free=free) for group in several or groups.values()]
    return max(moved, key=lambda live: (live.spread or 0.0, live.inputs))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One output for one input; its numbers may lie in a file, so that they are asked for row by row."""

    name: str
    expected: ReferenceOutputs
    outputs: Outputs

    @property
    def reference(self) -> Array:
        return self.expected.reference[self.name]

    @property
    def actual(self) -> Array:
        return self.outputs[self.name]

    @property
    def noise(self) -> Magnitude | None:
        return self.expected.noise.get(self.name) if self.expected.has_noise else None

    def is_sure(self, precision: Precision) -> bool:
        """Whether PyTorch's noise is small enough to tell right from wrong."""
        if self.noise is None:
            return True
        return (self.noise.rms or 0.0) <= ILL_CONDITIONED[precision] * (magnitude(self.reference).rms or 0.0)


def _moved(port: Port, rows: Sequence[_Row], *, free: bool) -> LiveOutput:
    """How far an output moves between rows of one shape.

    In an output whose order is `free`, equal ones change their order, and of two that overlap one is left; what that
    does in some of the cases is no noise of the others.
    """
    spread = _spread if port.dtype.startswith("float") else _differs
    noises = [row.noise.rms or 0.0 for row in rows if row.noise is not None]
    noise = float(np.sqrt(np.mean(np.square(noises)))) if noises else 0.0
    usual = sorted(noises)[(len(noises) - 1) // 2] if noises else 0.0
    return LiveOutput(
        name=port.name,
        inputs=len(rows),
        spread=spread(rows, lambda row: row.reference),
        noise=min(noise, MAX_OVER_MEDIAN * usual) if free else noise,
        onnx_spread=spread(rows, lambda row: row.actual),
    )


def _differs(rows: Sequence[_Row], value: Callable[[_Row], Array]) -> float:
    """1 where some value is not the first one, else 0."""
    first = value(rows[0])
    return float(any(not np.array_equal(first, value(row)) for row in rows[1:]))


def _spread(rows: Sequence[_Row], value: Callable[[_Row], Array]) -> float | None:
    """The root of the mean variance, position by position; None where it is not finite."""
    with np.errstate(invalid="ignore", over="ignore"):
        mean = sum(value(row).astype(np.float64) for row in rows) / len(rows)
        variance = sum(np.square(value(row) - mean) for row in rows) / len(rows)
        spread = float(np.sqrt(np.mean(variance)))
    return spread if np.isfinite(spread) else None
