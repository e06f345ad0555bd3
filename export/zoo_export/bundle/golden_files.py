"""The few cases that travel with a bundle: inputs, fp64 answers, and how near a device must come."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Literal

from zoo.api.task import MARGIN, Case, Signature
from zoo.bundle.judge.cases import usual_noises
from zoo.bundle.judge.evidence import Magnitude
from zoo.bundle.judge.parity_rule import FLOOR, K
from zoo.bundle.runtime.bundled_run import difference
from zoo.bundle.runtime.golden_replay import golden_bytes
from zoo.bundle.runtime.manifest import GoldenCase, GoldenOutput
from zoo.models.pipeline import without_state
from zoo.runs.serialization import to_json
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.measure.graph import References
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


def golden_files(proof: Proof) -> Iterator[tuple[GoldenCase, bytes]]:
    """The cases with the bytes of their files: the pipeline's golden ones, its roll-out, and one input of the model."""
    subject = proof.subject
    names = {case.name for case in proof.inputs.golden}
    for case, expected in zip(proof.inputs.raw, proof.references[PIPELINE], strict=True):
        if case.name in names and not is_range(case) and not isinstance(expected, Failed):
            stored = _stored(case, expected, PIPELINE, subject.pipeline_signature, proof)
            if _has_one_answer(expected, stored[0]):
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


def _stored(
    case: Case, expected: ReferenceOutputs, graph: str, signature: Signature, proof: Proof
) -> tuple[GoldenCase, bytes]:
    name = stem_of(case.name)
    stem = name if graph == PIPELINE else f"model-{name}"
    record = GoldenCase(
        name=stem,
        file=f"{FOLDER}/{stem}.npz",
        graph=graph,
        origin=case.origin or "synthetic",
        outputs=tuple(tolerance(port.name, expected, graph, signature, proof) for port in signature.outputs),
    )
    outputs = {port.name: expected.reference[port.name] for port in signature.outputs}
    return record, golden_bytes(case.inputs, outputs)


def _stored_rollout(rollout: Rollout, expected: ReferenceOutputs, proof: Proof) -> tuple[GoldenCase, bytes]:
    """A roll-out; of the state only the first is stored, because a device that loses it gives other answers."""
    outputs = [port.name for port in without_state(rollout.signature).outputs]
    name = stem_of(rollout.case.name)
    record = GoldenCase(
        name=name,
        file=f"{FOLDER}/{name}.npz",
        graph=PIPELINE,
        origin=rollout.case.origin or "synthetic",
        outputs=tuple(tolerance(output, expected, PIPELINE, rollout.signature, proof) for output in outputs),
        steps=rollout.steps,
        feedback=rollout.signature.feedback,
    )
    return record, golden_bytes(rollout.stacked(), {name: expected.reference[name] for name in outputs})


def tolerance(name: str, expected: ReferenceOutputs, graph: str, signature: Signature, proof: Proof) -> GoldenOutput:
    """How near a device must come to one answer: eight times as far as PyTorch itself is."""
    port = next(port for port in signature.outputs if port.name == name)
    kind = compare_kind(port, signature)
    ordered = kind == "agreement" and port.dtype.startswith("float")  # boxes in an order that is fixed: one by one
    if kind != "rule" and not ordered:
        chosen = kind == "equal" and MARGIN in expected.reference
        other: Literal["equal", "choice", "levels"] = "choice" if chosen else "levels" if kind == "levels" else "equal"
        return GoldenOutput(name=name, compare=other)
    scale, noises = magnitude(expected.reference[name]), [expected.noise[name], _usual_noise(name, graph, proof)]
    moved = _largest_move(name, proof.references[PIPELINE]) if graph == PIPELINE else (0.0, 0.0)
    rms = K * max(*(noise.rms or 0.0 for noise in noises), FLOOR * (scale.rms or 0.0)) + moved[0]
    largest = K * max(*(noise.max or 0.0 for noise in noises), FLOOR * (scale.max or 0.0)) + moved[1]
    return GoldenOutput(name=name, compare="tolerance", rms=rms, max=largest)


def _usual_noise(name: str, graph: str, proof: Proof) -> Magnitude:
    """What PyTorch is usually off by: another device may be less lucky than this one was with a case."""
    measured = proof.evidence.graph(graph)
    noise = usual_noises(measured, proof.evidence.reference.precision).get(name) if measured is not None else None
    return noise or Magnitude(rms=0.0, max=0.0)


def _largest_move(name: str, references: References) -> tuple[float, float]:
    """What rounding ties of the preprocess did to the answers; a device may round the other way, twice as far."""
    moved = [
        expected.moved[name] for expected in references if not isinstance(expected, Failed) and name in expected.moved
    ]
    return 2 * max((m.rms or 0.0 for m in moved), default=0.0), 2 * max((m.max or 0.0 for m in moved), default=0.0)
