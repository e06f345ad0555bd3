"""One mutant after the other, put to the gates and to the rules of others; references are shared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import onnx
import torch

from tests.zoo_export.controls.suite.models import trained
from tests.zoo_export.controls.suite.mutants import MUTANTS, Mutant
from tests.zoo_export.controls.suite.peers import accepted
from zoo.api.errors import ZooError
from zoo.api.task import Signature
from zoo.bundle.judge.evidence import Evidence, Labels
from zoo.bundle.judge.rule import Status
from zoo.bundle.judge.verdict import judge, killing_gates
from zoo.bundle.runtime.sandbox import Limits, Runtime
from zoo_export.capture.torch_export import serialize
from zoo_export.measure.graph import measure_graph
from zoo_export.measure.labels import measure_labels
from zoo_export.measure.weights import differing
from zoo_export.proof.prove import Proof, prove
from zoo_export.runtime.runs import try_graph
from zoo_export.subject.module_io import call
from zoo_export.subject.results import Trial

FILES = {"model": "model.onnx", "pipeline": "pipeline.onnx"}
OPSET = 18
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one mutant of one model."""

    model: str
    mutant: str
    group: str
    applies: bool
    same: bool = False
    """It was not caught, and its answers are the original's, bit for bit, on every case and in every batch."""
    answers_caught: tuple[str, ...] = ()
    """Gates about answers that failed."""
    caught: tuple[str, ...] = ()
    """All gates that failed, lineage and graph included."""
    peers: tuple[str, ...] = ()
    """Rules of others that let it pass."""


@cache
def proof_of(name: str) -> Proof:
    """The proof of one of the models, unmutated."""
    return prove(trained(name), opset=OPSET, evaluate=0)


def outcomes(name: str) -> Iterator[Outcome]:
    """Every mutant of one model."""
    proof = proof_of(name)
    ours, theirs = _peers_input(proof)
    with torch.no_grad(), Runtime(limits=Limits(wall_seconds=30, cpu_seconds=30)) as runtime:
        for mutant in MUTANTS:
            file = FILES[mutant.role]
            spoilt = mutant.edit(proof.exported.models[file])
            outcome = Outcome(model=name, mutant=mutant.name, group=mutant.group, applies=spoilt is not None)
            if spoilt is None:
                yield outcome
                continue
            trial, evidence = _measure(proof, mutant, spoilt, runtime)
            answer = _answer(spoilt, theirs, runtime) if mutant.role == "model" else None
            seen = accepted(ours, ours if answer is None else answer)
            caught = _failed(evidence)
            yield replace(
                outcome,
                same=not caught and _same(trial, proof, file),
                answers_caught=killing_gates(evidence),
                caught=caught,
                peers=tuple(rule for rule, passes in seen.items() if passes),
            )


def _measure(proof: Proof, mutant: Mutant, spoilt: onnx.ModelProto, runtime: Runtime) -> tuple[Trial, Evidence]:
    """The proof's evidence as if this copy had been exported."""
    file = FILES[mutant.role]
    original = proof.evidence.graph(file)
    assert original is not None
    cases, signature = _of(proof, file)
    data = serialize(spoilt)
    trial = try_graph(runtime, data, cases, signature, title=mutant.name)
    digest = hashlib.sha256(data).hexdigest()
    measured = measure_graph(
        name=file,
        role=mutant.role,
        sha256=digest,
        model=spoilt,
        signature=signature,
        cases=cases,
        answers=proof.answers[file],
        trial=trial,
        opset=OPSET,
        torch_equal=True,
        example=_example(proof, file),
    )
    evidence = proof.evidence
    files = tuple(replace(one, sha256=digest) if one.name == file else one for one in evidence.subject.files)
    return trial, replace(
        evidence,
        subject=replace(evidence.subject, files=files),
        graphs=tuple(measured if graph.name == file else graph for graph in evidence.graphs),
        labels=_labels(proof, mutant, spoilt, trial),
        lineage=_lineage(proof, file, spoilt),
    )


def _of(proof: Proof, file: str) -> tuple[Any, Signature]:
    subject = proof.subject
    if file == FILES["model"]:
        return proof.inputs.model, subject.signature
    return proof.inputs.raw, subject.pipeline_signature


def _example(proof: Proof, file: str) -> dict[str, tuple[int, ...]]:
    if file == FILES["model"]:
        return dict(proof.exported.example)
    return {name: tuple(value.shape) for name, value in proof.inputs.raw[0].inputs.items()}


def _labels(proof: Proof, mutant: Mutant, spoilt: onnx.ModelProto, trial: Trial) -> Labels | None:
    models = {**proof.exported.models, FILES[mutant.role]: spoilt}
    if mutant.group != "labels":
        return proof.evidence.labels
    subject = proof.subject
    answers = proof.answers[FILES["pipeline"]]
    given = trial.given if mutant.role == "pipeline" else ["not run"] * len(proof.inputs.raw)
    return measure_labels(
        subject.problem,
        models,
        signature=subject.pipeline_signature,
        cases=proof.inputs.raw,
        answers=answers,
        given=given,
    )


def _lineage(proof: Proof, file: str, spoilt: onnx.ModelProto) -> Any:
    found = proof.evidence.lineage
    assert found is not None
    return replace(found, different=tuple(differing(spoilt, proof.exported.models[file])))


def _failed(evidence: Evidence) -> tuple[str, ...]:
    published = {file.name: file.sha256 for file in evidence.subject.files}
    return tuple(gate.name for gate in judge(evidence, published=published).gates if gate.status == Status.FAIL)


def _same(trial: Trial, proof: Proof, file: str) -> bool:
    cases, signature = _of(proof, file)
    with Runtime() as runtime:
        before = try_graph(runtime, proof.exported.files[file], cases, signature, title=file)
    return _bits(trial) == _bits(before)


def _bits(trial: Trial) -> list[Any]:
    rows = [*trial.given, *(given for row in trial.by_batch.values() for _, given in row)]
    return [given if isinstance(given, str) else {k: v.tobytes() for k, v in given.items()} for given in rows]


# --- what others do ---


def _peers_input(proof: Proof) -> tuple[Array, dict[str, Array]]:
    """PyTorch's answer to one random tensor of the traced shape."""
    shapes = proof.exported.example
    rng = np.random.default_rng(0)
    feeds = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    answer = call(proof.subject.module, feeds, proof.subject.signature)
    return next(iter(answer.values())), feeds


def accepted_unspoilt(name: str) -> dict[str, bool]:
    """What the rules of others say to the sound export."""
    proof = proof_of(name)
    ours, feeds = _peers_input(proof)
    with torch.no_grad(), Runtime() as runtime:
        return accepted(ours, _answer(proof.exported.models[FILES["model"]], feeds, runtime))


def _answer(spoilt: onnx.ModelProto, feeds: dict[str, Array], runtime: Runtime) -> Array | str:
    try:
        answers = runtime.run(runtime.session(serialize(spoilt)), feeds)
    except ZooError as error:
        return error.message
    return next(iter(answers.values()))
