"""The few cases that travel with a bundle: inputs, fp64 answers, and how near a device must come."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from zoo.api.task import MARGIN, Case, Signature
from zoo.bundle.judge.cases import usual_noises
from zoo.bundle.judge.evidence import GoldenEvidence, GoldenTolerance, Magnitude
from zoo.bundle.judge.parity_rule import golden_tolerance
from zoo.bundle.runtime.bundled_self_test import difference
from zoo.bundle.runtime.golden_replay import golden_bytes
from zoo.bundle.runtime.manifest import GoldenCase, GoldenOutput
from zoo.models.pipeline import without_state
from zoo.runs.serialization import to_json
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.measure.graph_run import References
from zoo_export.measure.outputs import compare_kind
from zoo_export.proof.prove import Proof
from zoo_export.reference.oracle import ReferenceOutputs, magnitude
from zoo_export.subject.golden_cases import OWN_DATA
from zoo_export.subject.ranges import is_range
from zoo_export.subject.results import Failed
from zoo_export.subject.rollout import Rollout

FOLDER = "golden"
MAX_NAME_LENGTH = 48
"""Characters of a case's name that its file is called by."""
NOTHING = Magnitude(rms=0.0, max=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenFile:
    """One golden case: what the manifest and the record say of it, and the bytes of its file."""

    record: GoldenCase
    data: bytes
    evidence: GoldenEvidence


def golden_files(proof: Proof) -> Iterator[GoldenFile]:
    """The pipeline's golden cases, its roll-out, and one input of the model."""
    subject = proof.subject
    names = {case.name for case in proof.inputs.golden}
    for case, expected in zip(proof.inputs.raw, proof.references[PIPELINE], strict=True):
        if case.name in names and not is_range(case) and not isinstance(expected, Failed):
            stored = _stored(case, expected, PIPELINE, subject.pipeline_signature, proof)
            if _has_one_answer(expected, stored.record):
                yield stored
    for rollout, expected in proof.rollouts:
        own = rollout.case.origin == OWN_DATA
        if rollout.kind == "rollout" and not own and not isinstance(expected, Failed):
            yield _stored_rollout(rollout, expected, proof)
    for case, expected in zip(proof.inputs.model, proof.references[MODEL], strict=True):
        if case.kind != "smooth" or case.origin == OWN_DATA or not case.gates or isinstance(expected, Failed):
            continue
        if expected.matching.decided:  # another device is compared position by position
            yield _stored(case, expected, MODEL, subject.signature, proof)
            return


def stem_of(name: str) -> str:
    """What a case's file is called; the beginning of a long name, such as that of a whole text, and its digest."""
    plain = re.sub(r"[^\w.-]+", "-", name)
    if len(plain) <= MAX_NAME_LENGTH:
        return plain
    return f"{plain[:MAX_NAME_LENGTH]}-{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:8]}"


def _has_one_answer(expected: ReferenceOutputs, record: GoldenCase) -> bool:
    """Whether another device must give this answer, however it decides ties."""
    return not any(
        difference(alternative[output.name], expected.reference[output.name], to_json(output))
        for alternative in expected.alternatives
        for output in record.outputs
    )


def _stored(case: Case, expected: ReferenceOutputs, graph: str, signature: Signature, proof: Proof) -> GoldenFile:
    outputs = [port.name for port in signature.outputs]
    data = golden_bytes(case.inputs, {name: expected.reference[name] for name in outputs})
    return _golden_file(case, data, outputs=outputs, expected=expected, graph=graph, signature=signature, proof=proof)


def _stored_rollout(rollout: Rollout, expected: ReferenceOutputs, proof: Proof) -> GoldenFile:
    """A roll-out; of the state only the first is stored, because a device that loses it gives other answers."""
    outputs = [port.name for port in without_state(rollout.signature).outputs]
    data = golden_bytes(rollout.stacked(), {name: expected.reference[name] for name in outputs})
    file = _golden_file(
        rollout.case,
        data,
        outputs=outputs,
        expected=expected,
        graph=PIPELINE,
        signature=rollout.signature,
        proof=proof,
    )
    return replace(file, record=replace(file.record, steps=rollout.steps, feedback=rollout.signature.feedback))


def _golden_file(
    case: Case,
    data: bytes,
    *,
    outputs: Sequence[str],
    expected: ReferenceOutputs,
    graph: str,
    signature: Signature,
    proof: Proof,
) -> GoldenFile:
    stem = stem_of(case.name)
    file = f"{FOLDER}/{stem}.npz"
    tolerances = [tolerance(name, expected, graph, signature, proof) for name in outputs]
    parts = [
        tolerance_parts(name, expected, graph, proof)
        for name, allowed in zip(outputs, tolerances, strict=True)
        if allowed.compare == "tolerance"
    ]
    digest = hashlib.sha256(data).hexdigest()
    return GoldenFile(
        record=GoldenCase(
            name=stem, file=file, graph=graph, origin=case.origin or "synthetic", outputs=tuple(tolerances)
        ),
        data=data,
        evidence=GoldenEvidence(case=case.name, graph=graph, file=file, sha256=digest, outputs=tuple(parts)),
    )


def tolerance(name: str, expected: ReferenceOutputs, graph: str, signature: Signature, proof: Proof) -> GoldenOutput:
    """How near a device must come to one answer."""
    port = next(port for port in signature.outputs if port.name == name)
    kind = compare_kind(port, signature)
    ordered = kind == "agreement" and port.dtype.startswith("float")  # boxes in an order that is fixed: one by one
    if kind != "rule" and not ordered:
        chosen = kind == "equal" and MARGIN in expected.reference
        other: Literal["equal", "choice", "levels"] = "choice" if chosen else "levels" if kind == "levels" else "equal"
        return GoldenOutput(name=name, compare=other)
    allowed = golden_tolerance(tolerance_parts(name, expected, graph, proof), _usual_noise(name, graph, proof))
    return GoldenOutput(name=name, compare="tolerance", rms=allowed.rms, max=allowed.max)


def tolerance_parts(name: str, expected: ReferenceOutputs, graph: str, proof: Proof) -> GoldenTolerance:
    """What a tolerance is made of."""
    return GoldenTolerance(
        name=name,
        scale=magnitude(expected.reference[name]),
        noise=expected.noise[name],
        moved=_move(name, expected, proof) if graph == PIPELINE else NOTHING,
    )


def _usual_noise(name: str, graph: str, proof: Proof) -> Magnitude | None:
    measured = proof.evidence.graph(graph)
    return usual_noises(measured, proof.evidence.reference.precision).get(name) if measured is not None else None


def _move(name: str, expected: ReferenceOutputs, proof: Proof) -> Magnitude:
    """What ties do to the answer of this case; where that was not measured, the most that they do in any case."""
    return expected.moved.get(name) or _largest_move(name, proof.references[PIPELINE])


def _largest_move(name: str, references: References) -> Magnitude:
    """What rounding ties of the preprocess did to the answers."""
    moved = [
        expected.moved[name] for expected in references if not isinstance(expected, Failed) and name in expected.moved
    ]
    return Magnitude(
        rms=max((size.rms or 0.0 for size in moved), default=0.0),
        max=max((size.max or 0.0 for size in moved), default=0.0),
    )
