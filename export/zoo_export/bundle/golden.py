"""The few cases that travel with a bundle: inputs, fp64 answers, and how near a device must come."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Literal

from zoo.api.task import MARGIN, Case, Signature
from zoo.bundle.judge.cases import usual_noises
from zoo.bundle.judge.evidence import Magnitude
from zoo.bundle.judge.rule import FLOOR, K
from zoo.bundle.runtime.golden import golden_bytes
from zoo.bundle.runtime.manifest import GoldenCase, GoldenOutput
from zoo.bundle.runtime.run_template import difference
from zoo.runs.serialization import to_json
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.measure.graph import Answers
from zoo_export.measure.outputs import compare_kind
from zoo_export.proof.prove import Proof
from zoo_export.reference.oracle import Answer, magnitude
from zoo_export.subject.rollout import Walk, stateless

FOLDER = "golden"
LONGEST = 48
"""Characters of a name that a file is called by."""


def golden_files(proof: Proof) -> Iterator[tuple[GoldenCase, bytes]]:
    """The cases with the bytes of their files: the pipeline's golden ones, its roll-out, and one input of the model."""
    subject = proof.subject
    names = {case.name for case in proof.inputs.golden}
    for case, answer in zip(proof.inputs.raw, proof.answers[PIPELINE], strict=True):
        if case.name in names and isinstance(answer, Answer):
            stored = _stored(case, answer, PIPELINE, subject.pipeline_signature, proof)
            if _has_one_answer(answer, stored[0]):
                yield stored
    for walk, answer in proof.walks:
        if walk.kind == "rollout" and isinstance(answer, Answer):
            yield _rolled(walk, answer, proof)
    ready = zip(proof.inputs.model, proof.answers[MODEL], strict=True)
    for case, answer in ready:
        if case.kind == "smooth" and case.gates and isinstance(answer, Answer) and _has_one_choice(answer):
            yield _stored(case, answer, MODEL, subject.signature, proof)
            return


def stem_of(name: str) -> str:
    """What a case's file is called; the beginning of a long name, such as that of a whole text, and its digest."""
    plain = re.sub(r"[^\w.-]+", "-", name)
    if len(plain) <= LONGEST:
        return plain
    return f"{plain[:LONGEST]}-{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:8]}"


def _has_one_answer(answer: Answer, record: GoldenCase) -> bool:
    """Whether another device must give it, whatever it makes of near-equal parts."""
    return not any(
        difference(other[output.name], answer.reference[output.name], to_json(output))
        for other in answer.others
        for output in record.outputs
    )


def _has_one_choice(answer: Answer) -> bool:
    """Whether another device must choose the same rows, so that they can be compared place by place."""
    return answer.rows is None or answer.rows.decided


def _stored(case: Case, answer: Answer, graph: str, signature: Signature, proof: Proof) -> tuple[GoldenCase, bytes]:
    name = stem_of(case.name)
    stem = name if graph == PIPELINE else f"model-{name}"
    record = GoldenCase(
        name=stem,
        file=f"{FOLDER}/{stem}.npz",
        graph=graph,
        origin=case.origin or "synthetic",
        outputs=tuple(tolerance(port.name, answer, graph, signature, proof) for port in signature.outputs),
    )
    outputs = {port.name: answer.reference[port.name] for port in signature.outputs}
    return record, golden_bytes(case.inputs, outputs)


def _rolled(walk: Walk, answer: Answer, proof: Proof) -> tuple[GoldenCase, bytes]:
    """A roll-out; of the state only the first is stored, because a device that loses it gives other answers."""
    outputs = [port.name for port in stateless(walk.signature).outputs]
    name = stem_of(walk.case.name)
    record = GoldenCase(
        name=name,
        file=f"{FOLDER}/{name}.npz",
        graph=PIPELINE,
        origin=walk.case.origin or "synthetic",
        outputs=tuple(tolerance(output, answer, PIPELINE, walk.signature, proof) for output in outputs),
        steps=walk.steps,
        feedback=walk.signature.feedback,
    )
    return record, golden_bytes(walk.stacked(), {name: answer.reference[name] for name in outputs})


def tolerance(name: str, answer: Answer, graph: str, signature: Signature, proof: Proof) -> GoldenOutput:
    """How near a device must come to one answer: eight times as far as PyTorch itself is."""
    port = next(port for port in signature.outputs if port.name == name)
    kind = compare_kind(port, signature)
    found = kind == "agreement" and port.dtype.startswith("float")  # boxes in a settled order: one by one
    if kind != "rule" and not found:
        chosen = kind == "equal" and MARGIN in answer.reference
        other: Literal["equal", "choice", "levels"] = "choice" if chosen else "levels" if kind == "levels" else "equal"
        return GoldenOutput(name=name, compare=other)
    scale, noises = magnitude(answer.reference[name]), [answer.noise[name], _usual(name, graph, proof)]
    ties = _ties(name, proof.answers[PIPELINE]) if graph == PIPELINE else (0.0, 0.0)
    rms = K * max(*(one.rms or 0.0 for one in noises), FLOOR * (scale.rms or 0.0)) + ties[0]
    largest = K * max(*(one.max or 0.0 for one in noises), FLOOR * (scale.max or 0.0)) + ties[1]
    return GoldenOutput(name=name, compare="tolerance", rms=rms, max=largest)


def _usual(name: str, graph: str, proof: Proof) -> Magnitude:
    """What PyTorch is usually off by: another device may be less lucky than this one was with a case."""
    measured = proof.evidence.graph(graph)
    found = usual_noises(measured).get(name) if measured is not None else None
    return found or Magnitude(rms=0.0, max=0.0)


def _ties(name: str, answers: Answers) -> tuple[float, float]:
    """What ties of rounding did to the answers here; another device may round them otherwise, twice as far apart."""
    moved = [one.moved[name] for one in answers if isinstance(one, Answer) and name in one.moved]
    return 2 * max((m.rms or 0.0 for m in moved), default=0.0), 2 * max((m.max or 0.0 for m in moved), default=0.0)
