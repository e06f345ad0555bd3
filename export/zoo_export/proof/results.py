"""The results of both sides together: what the runtime gave beside what is right, and facts about the module."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from zoo.api.task import Case
from zoo.bundle.judge.evidence import EvalMode, Lineage, Waiver
from zoo_export.capture.capture import MODEL, PIPELINE, Exported
from zoo_export.measure.graph import eval_mode, torch_repeats
from zoo_export.measure.graph_run import Declared, GraphRun, failing_by_little, undecided_ranges, with_own_rounding
from zoo_export.measure.weights import differing, measure_lineage, trace
from zoo_export.proof.references import EagerModel, GraphReferences, References, with_double
from zoo_export.proof.submit import Submitted, SubmittedGraph
from zoo_export.reference.answer_noise import carried_noise, pairwise
from zoo_export.reference.neighbour_noise import with_input_rounding, with_neighbour_noise
from zoo_export.reference.oracle import ReferenceOutputs, larger
from zoo_export.reference.strategy import Run
from zoo_export.runtime.queue import RuntimeQueue
from zoo_export.runtime.runs import run
from zoo_export.subject.choose_cases import Inputs
from zoo_export.subject.ranges import declared_maxima, is_range
from zoo_export.subject.results import Failed, RuntimeOutputs, RuntimeResult
from zoo_export.subject.subject import Subject

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Timed(Generic[T]):
    """A value and how long it took."""

    value: T
    seconds: float


def timed(work: Callable[[], T]) -> Timed[T]:
    """The result of some work, with its time on the clock."""
    start = time.perf_counter()
    value = work()
    return Timed(value, time.perf_counter() - start)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleFacts:
    """What is measured on the module and the bytes alone, without a run of the files."""

    eval_mode: Timed[EvalMode]
    repeats: Timed[bool]
    """Eager PyTorch gives the same bits twice."""
    lineage: Timed[Lineage | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Everything that evidence is made of."""

    subject: Subject
    inputs: Inputs
    submitted: Submitted
    eager: EagerModel
    references: References
    module: ModuleFacts
    runs: Mapping[str, GraphRun]
    """By file name."""
    declared: Declared
    run_model: Run
    """Inputs of model.onnx to what the file gives for them now."""

    @property
    def whole(self) -> bool:
        """A pipeline was measured, not a model alone."""
        return PIPELINE in self.runs


def collect_results(
    subject: Subject,
    inputs: Inputs,
    submitted: Submitted,
    eager: EagerModel,
    references: References,
    *,
    queue: RuntimeQueue,
    opset: int,
) -> Results:
    """The results of the runtime's cases beside what is right; PyTorch measures the module before it waits for them."""
    exported = submitted.exported
    module = ModuleFacts(
        eval_mode=timed(lambda: eval_mode(subject.module)),
        repeats=timed(lambda: torch_repeats(subject.module, inputs.model[:1], subject.signature)),
        lineage=timed(lambda: _lineage(subject, exported, inputs)),
    )
    declared = _declared(subject, eager, opset=opset)
    undecided = {index for run in _runs(submitted, references) for index in undecided_ranges(run, declared)}
    references = with_double(
        references, sorted(undecided), subject=subject, inputs=inputs, eager=eager, submitted=submitted
    )
    references = _with_neighbours(submitted, inputs, eager, references, declared)
    references = _with_own_rounding(submitted, references, declared)
    return Results(
        subject=subject,
        inputs=inputs,
        submitted=submitted,
        eager=eager,
        references=references,
        module=module,
        runs={run.file.name: run for run in _runs(submitted, references)},
        declared=declared,
        run_model=_run_model(queue, submitted),
    )


def _runs(submitted: Submitted, references: References) -> list[GraphRun]:
    return [
        GraphRun(file=graph.file, references=expected.cases, result=graph.result.result())
        for graph, expected in graphs_of(submitted, references)
    ]


def _with_neighbours(
    submitted: Submitted, inputs: Inputs, eager: EagerModel, references: References, declared: Declared
) -> References:
    """What is right, where a graph fails by little at an end of its range: there a case's noise may be a chance."""
    changed = {}
    for graph, expected in graphs_of(submitted, references):
        run = GraphRun(file=graph.file, references=expected.cases, result=graph.result.result())
        cases = list(expected.cases)
        for index in failing_by_little(run, declared):
            model, own = references.model.cases[index], cases[index]
            if isinstance(model, Failed) or isinstance(own, Failed) or not is_range(run.file.cases[index]):
                continue
            prepared = inputs.model[index].inputs
            beside = with_neighbour_noise(eager.oracle, prepared, model)
            if graph is not submitted.model:  # whose preprocess rounds as well
                beside = with_input_rounding(eager.oracle, prepared, beside)
                beside = _carried(own, beside, inputs.raw[index], eager)
            cases[index] = beside
        changed[graph.file.name] = replace(expected, cases=tuple(cases))
    return replace(references, model=changed[MODEL], pipeline=changed.get(PIPELINE, references.pipeline))


def _carried(own: ReferenceOutputs, model: ReferenceOutputs, raw: Case, eager: EagerModel) -> ReferenceOutputs:
    """What is right for the pipeline, with the noise of the model's outputs carried through the postprocess."""
    floats = [name for name, value in own.reference.items() if value.dtype.kind == "f"]
    carried = carried_noise(model, raw.inputs, eager.pipelines.double, floats, directions=pairwise)
    return replace(own, noise={**own.noise, **{name: larger(own.noise[name], size) for name, size in carried.items()}})


def _with_own_rounding(submitted: Submitted, references: References, declared: Declared) -> References:
    """What is right, where a file fails by little with the rounding of its own operators."""
    model = _noisier(submitted.model, references.model, declared, ())
    if submitted.pipeline is None or references.pipeline is None:
        return replace(references, model=model)
    preprocessed = submitted.pipeline.preprocessed.result()
    pipeline = _noisier(submitted.pipeline.graph, references.pipeline, declared, preprocessed)
    return replace(references, model=model, pipeline=pipeline)


def _noisier(
    graph: SubmittedGraph, expected: GraphReferences, declared: Declared, preprocessed: Sequence[RuntimeOutputs]
) -> GraphReferences:
    """One graph's cases, and the sizes at which a shape guard does not hold."""
    number = len(expected.cases)
    run = GraphRun(
        file=replace(graph.file, cases=(*graph.file.cases, *graph.violations)),
        references=(*expected.cases, *expected.violations),
        result=RuntimeResult(outputs=(*graph.result.result().outputs, *graph.violation_outputs.result())),
    )
    known = with_own_rounding(run, declared, preprocessed).references
    return replace(expected, cases=known[:number], violations=known[number:])


def _run_model(queue: RuntimeQueue, submitted: Submitted) -> Run:
    session = submitted.model.session
    return lambda inputs: queue.submit(lambda runtime: run(runtime, session.result(), inputs)).result()


def graphs_of(submitted: Submitted, references: References) -> list[tuple[SubmittedGraph, GraphReferences]]:
    """Both graphs with what is right for each, or the model alone."""
    graphs = [(submitted.model, references.model)]
    if submitted.pipeline is not None and references.pipeline is not None:
        graphs.append((submitted.pipeline.graph, references.pipeline))
    return graphs


def _declared(subject: Subject, eager: EagerModel, *, opset: int) -> Declared:
    """What was asked of the graphs, and what the model's plugin says about them."""
    export = subject.export
    waivers = (
        Waiver(output=name, reason=reason, bound=export.waiver_bounds.get(name, 0.0))
        for name, reason in export.waivers.items()
    )
    return Declared(
        opset=opset,
        precision=eager.oracle.backends.facts.precision,
        arithmetic=tuple(export.declared_arithmetic),
        waivers=tuple(waivers),
        maxima=declared_maxima(subject.problem, subject.signature),
    )


def _lineage(subject: Subject, exported: Exported, inputs: Inputs) -> Lineage | None:
    """From the module's state to the captured graph, and from that to the bytes of the files."""
    own = exported.graph.weights
    if PIPELINE not in exported.names:
        return trace(
            subject.module,
            exported.graph.shipped.model,
            exported.file(MODEL).model,
            weights=exported.weights,
            derived_weights=own,
        )
    example = inputs.model[0].inputs
    lineage = measure_lineage(subject.module, exported.graph.plain.model, example, subject.signature, weights=own)
    different = [
        f"{file.name}: {sentence}"
        for file in exported.graphs
        for derived in (exported.derived(file.name),)
        if file.stored is not derived
        for sentence in differing(file.model, derived.model, weights=file.weights, derived_weights=own)
    ]
    return replace(lineage, different=(*lineage.different, *different))
