"""The phases of a proof between capture and evidence: what the runtime is given, and what PyTorch says is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from zoo.api.task import Case, Control
from zoo.bundle.judge.evidence import Environment, Prepared
from zoo.models.pipeline import TorchPipeline
from zoo_export.capture.capture import (
    PIPELINE,
    Exported,
    GraphFile,
    capture_model,
    capture_pipeline,
    model_file,
    pipeline_file,
)
from zoo_export.capture.compose import IN, Pipeline
from zoo_export.capture.torch_export import serialize
from zoo_export.controls.mutants import Pending, submit_model_mutants, submit_pipeline_mutants
from zoo_export.controls.mutation_score import planned
from zoo_export.measure.preprocess import compare_preprocessed, differs_by_rounding
from zoo_export.reference.batch_invariance import batch_dependence
from zoo_export.reference.oracle import BackendRuns, DoubleRuns, Oracle, ReferenceOutputs, oracle_of, reference_outputs
from zoo_export.reference.postprocess import PipelinePair, pipeline_pair
from zoo_export.runtime.environment import environment
from zoo_export.runtime.queue import RuntimeQueue
from zoo_export.runtime.runs import Loaded, load, run_cases, run_one_by_one, run_rollout
from zoo_export.subject.cases import Inputs, cases_of_sizes
from zoo_export.subject.results import Failed, Outputs, RuntimeOutputs, RuntimeResult
from zoo_export.subject.rollout import Rollout, rollouts
from zoo_export.subject.subject import Subject

# --- what PyTorch needs all cores for ---


@dataclass(frozen=True, slots=True, kw_only=True)
class EagerModel:
    """The user's own model in PyTorch."""

    oracle: Oracle
    """As model.onnx."""
    pipelines: PipelinePair
    """As pipeline.onnx."""
    double: DoubleRuns
    """What double precision gives for the model's cases."""


def run_double(subject: Subject, inputs: Inputs, pipeline: TorchPipeline) -> EagerModel:
    """The slowest arithmetic, before there is a file that the runtime could work on."""
    cases = [case.inputs for case in inputs.model]
    oracle = oracle_of(subject.module, subject.signature, cases[0])
    return EagerModel(
        oracle=oracle, pipelines=pipeline_pair(pipeline, oracle.backends.double), double=oracle.run_double(cases)
    )


# --- submit to the runtime ---


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedGraph:
    """What the runtime will have given for one graph."""

    file: GraphFile
    session: Future[Loaded]
    result: Future[RuntimeResult]
    """Of the file's cases."""
    rollouts: tuple[Rollout, ...]
    rollout_outputs: Future[tuple[RuntimeOutputs, ...]]
    violations: tuple[Case, ...]
    """A case at every size at which a shape guard of the capture does not hold."""
    violation_outputs: Future[tuple[RuntimeOutputs, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedPipeline:
    """What the runtime will have given for pipeline.onnx."""

    graph: SubmittedGraph
    preprocessed: Future[tuple[RuntimeOutputs, ...]]
    """Per raw case, under the `prepared_` names."""
    items: Future[tuple[RuntimeOutputs, ...]]
    """The answer to every evaluation item."""


def submit_graph(queue: RuntimeQueue, file: GraphFile) -> SubmittedGraph:
    """One graph with everything that it is run on."""
    session = queue.submit(partial(load, model=file.data, title=file.name))
    own_rollouts = rollouts(file.cases, file.signature)
    violations = cases_of_sizes(file.cases, file.signature.inputs, file.guard_violations)
    return SubmittedGraph(
        file=file,
        session=session,
        result=queue.submit(lambda runtime: run_cases(runtime, session.result(), file.cases, file.signature)),
        rollouts=own_rollouts,
        rollout_outputs=queue.submit(
            lambda runtime: tuple(run_rollout(runtime, session.result(), rollout) for rollout in own_rollouts)
        ),
        violations=violations,
        violation_outputs=queue.submit(lambda runtime: run_one_by_one(runtime, session.result(), violations)),
    )


def submit_pipeline(queue: RuntimeQueue, file: GraphFile, captured: Pipeline, inputs: Inputs) -> SubmittedPipeline:
    """The pipeline, its preprocess alone on the raw cases, and the evaluation items."""
    graph = submit_graph(queue, file)
    preprocess = queue.submit(partial(load, model=serialize(captured.preprocess), title="the preparing"))
    return SubmittedPipeline(
        graph=graph,
        preprocessed=queue.submit(lambda runtime: run_one_by_one(runtime, preprocess.result(), inputs.raw)),
        items=queue.submit(lambda runtime: run_one_by_one(runtime, graph.session.result(), inputs.items)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The export, and everything that the runtime was given."""

    exported: Exported
    environment: Future[Environment]
    model: SubmittedGraph
    pipeline: SubmittedPipeline | None
    """None where a model alone is measured."""
    controls: tuple[Control, ...]
    mutants: Mapping[str, Pending]
    """By control, of those that apply."""


def capture_and_submit(
    subject: Subject,
    inputs: Inputs,
    pipeline: TorchPipeline,
    queue: RuntimeQueue,
    *,
    opset: int,
    files: Mapping[str, bytes] | None = None,
) -> Submitted:
    """Both graphs captured; the runtime is given each file, or the given one in its place, as soon as it is there."""
    whole = files is None or PIPELINE in files
    where = queue.submit(environment)
    controls = planned(subject.task.answers.controls(subject.problem), subject.signature, whole=whole)
    graph = capture_model(subject, inputs, opset=opset)
    model = submit_graph(queue, _measured_file(model_file(subject, graph, inputs), files))
    mutants = submit_model_mutants(queue, model.file, model.session, controls)
    captured = capture_pipeline(subject, pipeline, graph, inputs, opset=opset)
    submitted = None
    if whole:
        file = _measured_file(pipeline_file(subject, captured, inputs), files)
        submitted = submit_pipeline(queue, file, captured, inputs)
        mutants |= submit_pipeline_mutants(
            queue, file, captured, controls, model=model.session, postprocess=pipeline.answer
        )
    measured = (model.file,) if submitted is None else (model.file, submitted.graph.file)
    return Submitted(
        exported=Exported(graph=graph, pipeline=captured, graphs=measured),
        environment=where,
        model=model,
        pipeline=submitted,
        controls=controls,
        mutants=mutants,
    )


def _measured_file(fresh: GraphFile, files: Mapping[str, bytes] | None) -> GraphFile:
    return fresh if files is None else fresh.holding(files[fresh.name])


# --- compute references ---


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphReferences:
    """What is right for one graph."""

    cases: tuple[ReferenceOutputs | Failed, ...]
    rollouts: tuple[ReferenceOutputs | Failed, ...]
    violations: tuple[ReferenceOutputs | Failed, ...]
    """A failure where PyTorch itself does not run at that size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """What is right, according to PyTorch."""

    model: GraphReferences
    pipeline: GraphReferences | None
    """None where a model alone is measured."""
    preprocessed: tuple[Prepared | None, ...]
    """Per raw case: the file's preprocessed picture against the training-time one; None where there is no picture."""
    batch_dependence: str
    """How an item's answer depends on its batch, in a sentence; empty where it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _ModelRuns:
    """PyTorch's runs of the model, in every arithmetic."""

    cases: tuple[BackendRuns | Failed, ...]
    rollouts: tuple[BackendRuns | Failed, ...]
    violations: tuple[BackendRuns | Failed, ...]

    def references(self) -> GraphReferences:
        """What is right for model.onnx."""
        return GraphReferences(
            cases=tuple(map(reference_outputs, self.cases)),
            rollouts=tuple(map(reference_outputs, self.rollouts)),
            violations=tuple(map(reference_outputs, self.violations)),
        )


def compute_references(subject: Subject, inputs: Inputs, eager: EagerModel, submitted: Submitted) -> References:
    """PyTorch in every arithmetic on every case, rollout and size."""
    oracle, pipeline = eager.oracle, submitted.pipeline
    runs = _ModelRuns(
        cases=tuple(oracle.runs([case.inputs for case in inputs.model], double=eager.double)),
        rollouts=tuple(oracle.rollout(rollout) for rollout in submitted.model.rollouts),
        violations=tuple(oracle.run(case.inputs) for case in submitted.model.violations),
    )
    preprocessed = () if pipeline is None else tuple(map(_model_names, pipeline.preprocessed.result()))
    pairs = [(actual, case.inputs) for actual, case in zip(preprocessed, inputs.model, strict=False)]
    rounded = [_rounded(actual, expected, subject) for actual, expected in pairs]
    return References(
        model=runs.references(),
        pipeline=None
        if pipeline is None
        else _pipeline_references(inputs, eager, runs, rounded, pipeline.graph.violations),
        preprocessed=tuple(
            None if isinstance(actual, Failed) else compare_preprocessed(actual, expected, subject.problem)
            for actual, expected in pairs
        ),
        batch_dependence=batch_dependence(oracle, inputs.model, runs.cases),
    )


def _model_names(outputs: RuntimeOutputs) -> RuntimeOutputs:
    """The outputs of a preprocess under the names of the model's inputs."""
    if isinstance(outputs, Failed):
        return outputs
    return {name.removeprefix(IN): value for name, value in outputs.items()}


def _rounded(actual: RuntimeOutputs, expected: Outputs, subject: Subject) -> Outputs | None:
    """The file's own preprocessed picture, where it is as right as PyTorch's but for the rounding of a few values."""
    if isinstance(actual, Failed) or not differs_by_rounding(actual, expected, subject.problem):
        return None
    return actual


def _pipeline_references(
    inputs: Inputs,
    eager: EagerModel,
    runs: _ModelRuns,
    rounded: Sequence[Outputs | None],
    violations: Sequence[Case],
) -> GraphReferences:
    """What is right for pipeline.onnx: the answers that follow from the model's runs.

    Where the file's own picture is as right, double precision is moved to it.
    """
    oracle, pipelines = eager.oracle, eager.pipelines
    moved = [
        run if isinstance(run, Failed) or picture is None else oracle.moved(run, picture)
        for run, picture in zip(runs.cases, rounded, strict=False)
    ]
    at_sizes = [(oracle.run(pipelines.single.inputs(case.inputs)), case.inputs) for case in violations]
    return GraphReferences(
        cases=tuple(
            reference_outputs(pipelines.answers(run, case.inputs)) for run, case in zip(moved, inputs.raw, strict=True)
        ),
        rollouts=tuple(reference_outputs(pipelines.answers(run, {})) for run in runs.rollouts),
        violations=tuple(reference_outputs(pipelines.answers(run, raw)) for run, raw in at_sizes),
    )
