"""One mutant after the other, put to the gates and to the rules of others; references are shared."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import onnx
import torch

from tests.zoo_export.controls.suite.models import trained
from tests.zoo_export.controls.suite.mutants import MUTANTS, Mutant, of_task
from tests.zoo_export.controls.suite.peers import PEERS, accepted
from zoo.api.task import Case
from zoo.bundle.judge.evidence import RANGE, Evidence
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.judge.verdict import Verdict, judge, killing_gates
from zoo.bundle.sandbox.limits import Limits
from zoo.bundle.sandbox.runtime import Runtime
from zoo.models.outputs import call
from zoo_export.capture.capture import (
    MODEL,
    PIPELINE,
    Exported,
    GraphFile,
    capture_model,
    capture_pipeline,
    example_inputs,
    model_file,
    pipeline_file,
)
from zoo_export.capture.postprocess_graph import postprocess_of
from zoo_export.capture.torch_export import serialize
from zoo_export.measure.weights import differing
from zoo_export.proof.evidence import gather
from zoo_export.proof.references import compute_references, run_double
from zoo_export.proof.results import Results, Timed, collect_results
from zoo_export.proof.submit import Submitted, SubmittedPipeline, submit_graph, submit_pipeline
from zoo_export.reference.oracle import ReferenceOutputs
from zoo_export.runtime.environment import environment
from zoo_export.runtime.queue import RuntimeQueue, runtime_queue
from zoo_export.runtime.runs import load, run
from zoo_export.subject.choose_cases import Inputs, collect
from zoo_export.subject.results import Failed, RuntimeOutputs
from zoo_export.subject.subject import Subject

OPSET = 18
MAX_ELEMENTS = 600
"""Of a case of a whole range, states put aside: mutants are run on every token, but on no picture of 12 megapixels."""
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one mutant of one model."""

    model: str
    mutant: str
    group: str
    applies: bool
    equivalent: bool = False
    """It survived all gates, and moves no answer to any case by more than PyTorch's own single precision is off."""
    killed_by_answers: tuple[str, ...] = ()
    """Gates about answers that failed."""
    killed: tuple[str, ...] = ()
    """All gates that failed, lineage and graph included."""
    peers: tuple[str, ...] = ()
    """Rules of others that let it pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """One model, exported and measured unmutated."""

    subject: Subject
    inputs: Inputs
    results: Results
    evidence: Evidence
    verdict: Verdict
    peers: dict[str, bool]
    """What the rules of others say to the unmutated export."""

    def file(self, mutant: Mutant) -> GraphFile:
        """The file that a mutant is made from."""
        return self.results.submitted.exported.file(MODEL if mutant.role == "model" else PIPELINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Every mutant of one model."""

    verdict: Verdict
    """Of the unmutated export, but for the mutation score, which is what follows."""
    peers: dict[str, bool]
    outcomes: tuple[Outcome, ...]


@cache
def measured(name: str) -> Measured:
    """One of the models with all its mutants."""
    limits, subject = Limits(wall_seconds=120, cpu_seconds=600), trained(name)
    with torch.no_grad(), Runtime(limits=limits) as runtime, runtime_queue(runtime) as queue:
        baseline = measure_baseline(subject, queue)
        rows = tuple(_outcome(name, mutant, baseline, queue) for mutant in _mutants(subject))
    return Measured(verdict=baseline.verdict, peers=baseline.peers, outcomes=rows)


def _mutants(subject: Subject) -> tuple[Mutant, ...]:
    return (*MUTANTS, *of_task(subject.task.answers.controls(subject.problem)))


# --- unmutated ---


def measure_baseline(subject: Subject, queue: RuntimeQueue) -> Baseline:
    """The phases of a proof but for the mutants, on all cases but the large ones of a range."""
    pipeline = subject.torch_pipeline()
    inputs = collect(subject, pipeline, evaluate=0)
    inputs = _without_large(inputs, states={port.feeds for port in subject.signature.outputs})
    eager = run_double(subject, inputs, pipeline)
    graph = capture_model(subject, inputs, opset=OPSET)
    captured = capture_pipeline(subject, pipeline, graph, inputs, opset=OPSET)
    files = model_file(subject, graph, inputs), pipeline_file(subject, captured, inputs)
    submitted = Submitted(
        exported=Exported(graph=graph, composed=captured, graphs=files),
        environment=queue.submit(environment),
        model=submit_graph(queue, files[0]),
        pipeline=submit_pipeline(queue, files[1], captured, inputs, files[0].signature),
        controls=(),
        mutants={},
    )
    references = compute_references(subject, inputs, eager, submitted)
    results = collect_results(subject, inputs, submitted, eager, references, queue=queue, opset=OPSET)
    evidence = gather(results)
    baseline = Baseline(
        subject=subject,
        inputs=inputs,
        results=results,
        evidence=evidence,
        verdict=_verdict(evidence),
        peers={},
    )
    return replace(baseline, peers=_peers(baseline, files[0], queue))


def _without_large(inputs: Inputs, *, states: Set[str]) -> Inputs:
    """The same without the large cases of a range; the first of the model stay the raw ones, preprocessed."""

    def is_large(case: Case) -> bool:
        sizes = (value.size for name, value in case.inputs.items() if name not in states)
        return case.kind == RANGE and sum(sizes) > MAX_ELEMENTS

    large = [is_large(case) for case in inputs.raw]
    raw = tuple(case for case, out in zip(inputs.raw, large, strict=True) if not out)
    preprocessed = [case for case, out in zip(inputs.model, large, strict=False) if not out]
    others = [case for case in inputs.model[len(inputs.raw) :] if not is_large(case)]
    return replace(inputs, raw=raw, model=(*preprocessed, *others))


def _verdict(evidence: Evidence) -> Verdict:
    return judge(evidence, published={file.name: file.sha256 for file in evidence.subject.files})


# --- mutated ---


def _outcome(name: str, mutant: Mutant, baseline: Baseline, queue: RuntimeQueue) -> Outcome:
    """What the gates and the others say to one mutant."""
    original = baseline.file(mutant)
    model = _edited(mutant, original.model, baseline)
    outcome = Outcome(model=name, mutant=mutant.name, group=mutant.group, applies=model is not None)
    if model is None:
        return outcome
    file = original.holding(serialize(model))
    results = _with_file(baseline, file, queue)
    evidence = gather(results)
    killed_by_answers = killing_gates(evidence)
    killed = tuple(gate.name for gate in _verdict(evidence).gates if gate.status == Status.FAIL)
    peers = _peers(baseline, file, queue) if mutant.role == "model" else dict.fromkeys(PEERS, True)
    return replace(
        outcome,
        equivalent=not killed and _moves_nothing(baseline.results, results, file.name),
        killed_by_answers=killed_by_answers,
        killed=killed,
        peers=tuple(rule for rule, passes in peers.items() if passes),
    )


def _edited(mutant: Mutant, model: onnx.ModelProto, baseline: Baseline) -> onnx.ModelProto | None:
    if mutant.role != "postprocess":
        return mutant.edit(model)
    pipeline = baseline.results.submitted.exported.file(PIPELINE)
    answer = [port.name for port in pipeline.signature.outputs]
    cut = postprocess_of(model, baseline.results.submitted.model.file.signature, answer)
    mutated = mutant.edit(cut)
    return None if mutated is None else _put_back(model, cut, mutated)


def _put_back(model: onnx.ModelProto, cut: onnx.ModelProto, mutated: onnx.ModelProto) -> onnx.ModelProto:
    """The whole graph with the nodes of a mutated postprocess in the place of its own."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    own = {name for node in cut.graph.node for name in node.output}
    kept = [node for node in model.graph.node if not own.intersection(node.output)]
    del copy.graph.node[:]
    copy.graph.node.extend(_sorted([*mutated.graph.node, *kept]))
    known = {tensor.name for tensor in copy.graph.initializer}
    copy.graph.initializer.extend(tensor for tensor in mutated.graph.initializer if tensor.name not in known)
    return copy


def _sorted(nodes: Sequence[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """Every node behind those that it reads: preprocess and postprocess share the sizes of the picture."""
    made = {name for node in nodes for name in node.output}
    done: set[str] = set()
    ordered, waiting = [], list(nodes)
    while waiting:
        ready = [node for node in waiting if done.issuperset(made.intersection(node.input))]
        assert ready, "the nodes read each other in a circle"
        done.update(name for node in ready for name in node.output)
        ordered += ready
        waiting = [node for node in waiting if not done.issuperset(node.output)]
    return ordered


def _with_file(baseline: Baseline, file: GraphFile, queue: RuntimeQueue) -> Results:
    """The results as if this mutated file had been exported."""
    results = baseline.results
    submitted = results.submitted
    graphs = tuple(file if known.name == file.name else known for known in submitted.exported.graphs)
    exported = replace(submitted.exported, graphs=graphs)
    if file.name == MODEL:
        submitted = replace(submitted, exported=exported, model=submit_graph(queue, file))
        graph = submitted.model
    else:
        signature = submitted.model.file.signature
        pipeline: SubmittedPipeline = submit_pipeline(
            queue, file, submitted.exported.pipeline, baseline.inputs, signature
        )
        submitted = replace(submitted, exported=exported, pipeline=pipeline)
        graph = pipeline.graph
    measured_run = replace(results.runs[file.name], file=file, result=graph.result.result())
    return replace(
        results,
        submitted=submitted,
        runs={**results.runs, file.name: measured_run},
        module=replace(results.module, lineage=Timed(_lineage(results, file), 0.0)),
    )


def _lineage(results: Results, file: GraphFile) -> Any:
    lineage = results.module.lineage.value
    assert lineage is not None
    return replace(lineage, different=tuple(differing(file.model, results.submitted.exported.file(file.name).model)))


def _moves_nothing(before: Results, after: Results, name: str) -> bool:
    """Every output of every case stays within PyTorch's own noise of what the unmutated file gives."""
    first, second = before.runs[name], after.runs[name]
    rows = zip(first.result.outputs, second.result.outputs, first.references, strict=True)
    same = all(_within_noise(one, other, expected) for one, other, expected in rows)
    if name == MODEL or not same:
        return same
    assert before.submitted.pipeline is not None and after.submitted.pipeline is not None
    pairs = zip(before.submitted.pipeline.boundary.result(), after.submitted.pipeline.boundary.result(), strict=True)
    return all(_bits(one) == _bits(other) for one, other in pairs)


def _within_noise(one: RuntimeOutputs, other: RuntimeOutputs, expected: ReferenceOutputs | Failed) -> bool:
    if isinstance(one, Failed) or isinstance(other, Failed) or isinstance(expected, Failed):
        return isinstance(one, Failed) == isinstance(other, Failed)
    allowed = {name: noise.max or 0.0 for name, noise in expected.noise.items()}
    return all(_is_near(value, other[name], allowed.get(name, 0.0)) for name, value in one.items())


def _is_near(value: Array, other: Array, allowed: float) -> bool:
    if value.shape != other.shape:
        return False
    if value.tobytes() == other.tobytes():  # infinities among them, whose difference is no number
        return True
    return bool((np.abs(value.astype(np.float64) - other.astype(np.float64)) <= allowed).all())


def _bits(outputs: RuntimeOutputs) -> Any:
    return outputs if isinstance(outputs, Failed) else {name: value.tobytes() for name, value in outputs.items()}


# --- what others do ---


def _peers(baseline: Baseline, file: GraphFile, queue: RuntimeQueue) -> dict[str, bool]:
    """The rules of others: one random tensor of the traced shape; of tokens those of a case."""
    rng = np.random.default_rng(0)
    example = example_inputs(file.signature, file.cases)
    inputs = {
        name: np.asarray(rng.standard_normal(value.shape), np.float32) if value.dtype == np.float32 else value
        for name, value in example.items()
    }
    expected = next(iter(call(baseline.subject.module, inputs, baseline.subject.signature).values()))
    return queue.submit(lambda runtime: accepted(expected, _first_output(file, inputs, runtime))).result()


def _first_output(file: GraphFile, inputs: dict[str, Array], runtime: Runtime) -> Array | None:
    """None where the runtime refuses the graph."""
    session = load(runtime, file.data, title="the model")
    outputs = run(runtime, session, inputs)
    if not isinstance(session, Failed):
        with contextlib.suppress(Exception):
            runtime.close(session)
    return None if isinstance(outputs, Failed) else next(iter(outputs.values()))
