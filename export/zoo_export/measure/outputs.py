"""One answer of the file against what is right: numbers only, no verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from zoo.api.task import MARGIN, Case, Port, Signature
from zoo.bundle.judge.evidence import CaseEvidence, Compare, LiveOutput, Magnitude, OutputError
from zoo.bundle.judge.rule import MAX_OVER_MEDIAN
from zoo_export.reference.oracle import Answer, magnitude
from zoo_export.reference.proposals import TIED, compared, unnamed
from zoo_export.subject.module_io import Array

Given = Mapping[str, Array] | str
"""What the runtime gave: outputs by name, or the sentence in which it refused."""


def compare_kind(port: Port, signature: Signature) -> Compare:
    """How an output is judged: outputs of data-dependent length by the task, pictures in levels, floats by the rule."""
    known = {size for one in signature.inputs for size in one.shape}
    if any(isinstance(size, str) and size not in known for size in port.shape):
        return "agreement"
    if port.dtype.startswith("float"):
        return "rule"
    return "levels" if port.dtype == "uint8" and len(port.shape) >= 3 else "equal"


def compare_case(case: Case, given: Given, answer: Answer | str, signature: Signature) -> CaseEvidence:
    """Everything measured about one case."""
    shapes = {name: tuple(value.shape) for name, value in case.inputs.items()}
    story = CaseEvidence(name=case.name, kind=case.kind, gates=case.gates, inputs=shapes)
    if isinstance(answer, str):
        return replace(story, reference_error=answer)
    if isinstance(given, str):
        return replace(story, error=given)
    outputs = [compare_output(port, given, answer, signature) for port in signature.outputs if port.name in given]
    return replace(story, outputs=tuple(outputs))


def compare_output(port: Port, whole: Mapping[str, Array], answer: Answer, signature: Signature) -> OutputError:
    """One output of one case."""
    given, reference, single = whole[port.name], answer.reference[port.name], answer.single[port.name]
    kind = compare_kind(port, signature)
    rows = answer.rows
    if kind == "equal" and (MARGIN in answer.reference or (rows is not None and port.name == rows.keys)):
        kind = "choice"
    facts = OutputError(
        name=port.name,
        compare=kind,
        dtype=str(given.dtype),
        reference_dtype=str(single.dtype),
        shape=tuple(given.shape),
        reference_shape=tuple(reference.shape),
        finite=_finite(given),
        reference_finite=_finite(reference),
    )
    if kind == "agreement":
        return replace(facts, torch=answer.noise.get(port.name))
    if given.shape != reference.shape:
        return facts
    if kind == "rule":
        if rows is not None and rows.keys in whole:
            given, reference = rows.paired(port.name, whole)
        return _by_rule(facts, given, reference, answer, port.name)
    if kind == "choice" and rows is not None:
        found, more = compared(given, reference, rows), unnamed(port.name, whole)
        return replace(
            facts,
            elements=found.parts + more,
            differing=found.wrong + more,
            far=found.other + more,
            undecided=found.tied,
        )
    if kind == "choice":
        return _by_margin(facts, given, reference, answer)
    return _by_count(facts, given, reference, single)


def _by_rule(facts: OutputError, given: Array, reference: Array, answer: Answer, name: str) -> OutputError:
    error = given.astype(np.float64) - reference
    return replace(
        facts,
        scale=magnitude(reference),
        onnx=magnitude(error),
        torch=answer.noise[name],
        torch_typical=answer.typical.get(name),
        sqnr_db=_sqnr(reference, error),
    )


def _by_count(facts: OutputError, given: Array, reference: Array, single: Array) -> OutputError:
    apart = np.abs(given.astype(np.int64) - reference.astype(np.int64))
    decided = single == reference if facts.compare == "equal" else np.ones(reference.shape, dtype=bool)
    return replace(
        facts,
        elements=int(np.count_nonzero(decided)),
        differing=int(np.count_nonzero(apart[decided])),
        far=int(np.count_nonzero(apart > 1)),
    )


def _by_margin(facts: OutputError, given: Array, reference: Array, answer: Answer) -> OutputError:
    """A choice per place, ties left out: where the first stands no clearer above the next than ten times the noise."""
    noise = answer.noise[MARGIN]
    apart = given != reference
    tied = ~(answer.reference[MARGIN] > TIED * (noise.max or 0.0))
    return replace(
        facts,
        torch=noise,
        elements=int(apart.size),
        differing=int(np.count_nonzero(apart & ~tied)),
        far=int(np.count_nonzero(apart)),
        undecided=int(np.count_nonzero(tied)),
    )


def _finite(values: Array) -> bool:
    return bool(np.isfinite(values).all()) if np.issubdtype(values.dtype, np.floating) else True


def _sqnr(reference: Array, error: Array) -> float | None:
    centred = float(np.square(reference - reference.mean()).sum()) if reference.size else 0.0
    noise = float(np.square(error).sum())
    if not (0 < noise < np.inf and 0 < centred < np.inf):
        return None
    return float(10 * np.log10(centred / noise))


def liveness(
    signature: Signature, answers: Sequence[Answer], given: Sequence[Mapping[str, Array]]
) -> tuple[LiveOutput, ...]:
    """How every output moves between inputs whose answers have the same shape."""
    return tuple(
        _live(port, answers, given, free=compare_kind(port, signature) == "agreement") for port in signature.outputs
    )


def _live(port: Port, answers: Sequence[Answer], given: Sequence[Mapping[str, Array]], *, free: bool) -> LiveOutput:
    name = port.name
    pairs = [
        (answer.reference[name], one[name], answer.noise.get(name)) for answer, one in zip(answers, given, strict=True)
    ]
    groups: dict[tuple[int, ...], list[int]] = {}
    for place, (reference, one, _) in enumerate(pairs):
        if reference.shape == one.shape and reference.size:
            groups.setdefault(tuple(reference.shape), []).append(place)
    if not groups:
        return LiveOutput(name=name, inputs=0, spread=None, noise=None, onnx_spread=None)
    several = [group for group in groups.values() if len(group) > 1]
    if not several and len(groups) > 1:  # answers of different shapes differ
        return LiveOutput(name=name, inputs=len(pairs), spread=1.0, noise=0.0, onnx_spread=1.0)
    # a small group may hold one picture twice; a dead output is dead in all of them
    moved = [_moved(port, [pairs[place] for place in group], free=free) for group in several or groups.values()]
    return max(moved, key=lambda live: (live.spread or 0.0, live.inputs))


def _moved(port: Port, chosen: Sequence[tuple[Array, Array, Magnitude | None]], *, free: bool) -> LiveOutput:
    """How far an output moves between some answers of one shape.

    In an answer whose order is `free`, equally good ones change places, and of two that overlap one is left; what that
    makes of some of the cases is no noise of the others.
    """
    floats = port.dtype.startswith("float")
    noises = [noise.rms or 0.0 for _, _, noise in chosen if noise is not None]
    noise = float(np.sqrt(np.mean(np.square(noises)))) if noises else 0.0
    usual = sorted(noises)[(len(noises) - 1) // 2] if noises else 0.0
    return LiveOutput(
        name=port.name,
        inputs=len(chosen),
        spread=_spread([reference for reference, _, _ in chosen], floats=floats),
        noise=min(noise, MAX_OVER_MEDIAN * usual) if free else noise,
        onnx_spread=_spread([one for _, one, _ in chosen], floats=floats),
    )


def _spread(values: Sequence[Array], *, floats: bool) -> float | None:
    if not floats:
        return float(any(not np.array_equal(values[0], other) for other in values[1:]))
    with np.errstate(invalid="ignore", over="ignore"):
        spread = float(np.sqrt(np.mean(np.var(np.stack(values).astype(np.float64), axis=0))))
    return spread if np.isfinite(spread) else None
