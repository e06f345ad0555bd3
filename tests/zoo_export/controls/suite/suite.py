"""One mutant after the other, put to the gates and to the rules of others; references are shared."""

from __future__ import annotations

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
from zoo.bundle.judge.evidence import Evidence, Labels
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.judge.verdict import judge, killing_gates
from zoo.bundle.runtime.sandbox import Limits, Runtime
from zoo.models.outputs import call
from zoo_export.capture.capture import GraphFile
from zoo_export.capture.torch_export import serialize
from zoo_export.measure.graph import Declared, GraphRun, measure_graph
from zoo_export.measure.labels import measure_labels
from zoo_export.measure.weights import differing
from zoo_export.proof.prove import Proof, prove
from zoo_export.runtime.runs import load, run, run_graph
from zoo_export.subject.results import Failed, RuntimeOutputs, RuntimeResult

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
    """It survived, and its outputs are the original's, bit for bit, on every case and in every batch."""
    killed_by_answers: tuple[str, ...] = ()
    """Gates about answers that failed."""
    killed: tuple[str, ...] = ()
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
    expected, inputs = _peers_input(proof)
    with torch.no_grad(), Runtime(limits=Limits(wall_seconds=30, cpu_seconds=30)) as runtime:
        for mutant in MUTANTS:
            file = proof.exported.file(FILES[mutant.role])
            model = mutant.edit(file.model)
            outcome = Outcome(model=name, mutant=mutant.name, group=mutant.group, applies=model is not None)
            if model is None:
                yield outcome
                continue
            result, evidence = _measure(proof, mutant, file.holding(serialize(model)), runtime)
            output = _first_output(model, inputs, runtime) if mutant.role == "model" else expected
            seen = accepted(expected, output)
            killed = _failed(evidence)
            yield replace(
                outcome,
                same=not killed and _bits(result) == _bits(_run(file, runtime)),
                killed_by_answers=killing_gates(evidence),
                killed=killed,
                peers=tuple(rule for rule, passes in seen.items() if passes),
            )


def _run(file: GraphFile, runtime: Runtime) -> RuntimeResult:
    return run_graph(runtime, file.data, file.cases, file.signature, title=file.name)


def _measure(proof: Proof, mutant: Mutant, file: GraphFile, runtime: Runtime) -> tuple[RuntimeResult, Evidence]:
    """The proof's evidence as if this mutated file had been exported."""
    result = _run(file, runtime)
    run = GraphRun(file=file, references=proof.references[file.name], result=result)
    measured = measure_graph(run, declared=Declared(opset=OPSET))
    evidence = proof.evidence
    files = tuple(
        replace(record, sha256=file.sha256) if record.name == file.name else record for record in evidence.subject.files
    )
    return result, replace(
        evidence,
        subject=replace(evidence.subject, files=files),
        graphs=tuple(measured if graph.name == file.name else graph for graph in evidence.graphs),
        labels=_labels(proof, mutant, run),
        lineage=_lineage(proof, file),
    )


def _labels(proof: Proof, mutant: Mutant, run: GraphRun) -> Labels | None:
    if mutant.group != "labels":
        return proof.evidence.labels
    pipeline = run
    if mutant.role == "model":
        file = proof.exported.file(FILES["pipeline"])
        result = RuntimeResult(outputs=(Failed("not run"),) * len(file.cases))
        pipeline = GraphRun(file=file, references=proof.references[file.name], result=result)
    return measure_labels(proof.subject.problem, {**proof.exported.models, run.file.name: run.file.model}, pipeline)


def _lineage(proof: Proof, file: GraphFile) -> Any:
    lineage = proof.evidence.lineage
    assert lineage is not None
    return replace(lineage, different=tuple(differing(file.model, proof.exported.models[file.name])))


def _failed(evidence: Evidence) -> tuple[str, ...]:
    published = {file.name: file.sha256 for file in evidence.subject.files}
    return tuple(gate.name for gate in judge(evidence, published=published).gates if gate.status == Status.FAIL)


def _bits(result: RuntimeResult) -> list[Any]:
    rows = [*result.outputs, *(outputs for row in result.by_batch.values() for _, outputs in row)]
    return [_bytes(outputs) for outputs in rows]


def _bytes(outputs: RuntimeOutputs) -> Any:
    return outputs if isinstance(outputs, Failed) else {name: value.tobytes() for name, value in outputs.items()}


# --- what others do ---


def _peers_input(proof: Proof) -> tuple[Array, dict[str, Array]]:
    """PyTorch's output for one random tensor of the traced shape, and that tensor."""
    shapes = proof.exported.file(FILES["model"]).example
    rng = np.random.default_rng(0)
    inputs = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    outputs = call(proof.subject.module, inputs, proof.subject.signature)
    return next(iter(outputs.values())), inputs


def accepted_unmutated(name: str) -> dict[str, bool]:
    """What the rules of others say to the unmutated export."""
    proof = proof_of(name)
    expected, inputs = _peers_input(proof)
    with torch.no_grad(), Runtime() as runtime:
        return accepted(expected, _first_output(proof.exported.models[FILES["model"]], inputs, runtime))


def _first_output(model: onnx.ModelProto, inputs: dict[str, Array], runtime: Runtime) -> Array | None:
    """None where the runtime refuses the graph."""
    outputs = run(runtime, load(runtime, serialize(model), title="the model"), inputs)
    return None if isinstance(outputs, Failed) else next(iter(outputs.values()))
