"""Capture and submission: each graph is given to the runtime as soon as its file is there.

What the runtime will have given stands in futures, so that PyTorch goes on beside it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from zoo.api.errors import NotProved, PluginError
from zoo.api.task import Case, Control, Signature
from zoo.bundle.judge.evidence import Environment
from zoo.bundle.onnx_file.external_data import MAX_ONNX_BYTES, Weights
from zoo.models.pipeline import TorchPipeline
from zoo_export.capture.capture import (
    PIPELINE,
    Exported,
    GraphFile,
    capture_model,
    capture_pipeline,
    example_inputs,
    model_file,
    pipeline_file,
)
from zoo_export.capture.compose import Pipeline
from zoo_export.capture.torch_export import Graph
from zoo_export.controls.mutants import Pending, submit_model_mutants, submit_pipeline_mutants
from zoo_export.controls.mutation_score import planned
from zoo_export.controls.postprocess_mutants import run_boundary, submit_postprocess_mutants
from zoo_export.measure.boundary import Postprocess, cut_postprocess
from zoo_export.proof.advice import refused
from zoo_export.runtime.environment import environment
from zoo_export.runtime.queue import RuntimeQueue
from zoo_export.runtime.runs import MORE_BATCH_SIZES, Loaded, load, run_cases, run_one_by_one, run_rollout
from zoo_export.subject.choose_cases import Inputs, cases_of_sizes
from zoo_export.subject.results import Failed, RuntimeOutputs, RuntimeResult
from zoo_export.subject.rollout import Rollout, rollouts
from zoo_export.subject.subject import Subject


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
    postprocess: Postprocess | Failed
    """The postprocess of the file, with the boundary cases."""
    boundary: Future[tuple[RuntimeOutputs, ...]]
    """Its answer to every boundary case."""


def submit_graph(queue: RuntimeQueue, file: GraphFile) -> SubmittedGraph:
    """One graph with everything that it is run on."""
    session = queue.submit(lambda runtime: load(runtime, file.data, title=file.name, weights=file.weights))
    own_rollouts = rollouts(file.cases, file.signature)
    violations = cases_of_sizes(file.cases, file.signature.inputs, file.guard_violations)
    return SubmittedGraph(
        file=file,
        session=session,
        result=queue.submit(
            lambda runtime: run_cases(
                runtime, session.result(), file.cases, file.signature, more_sizes=MORE_BATCH_SIZES
            )
        ),
        rollouts=own_rollouts,
        rollout_outputs=queue.submit(
            lambda runtime: tuple(run_rollout(runtime, session.result(), rollout) for rollout in own_rollouts)
        ),
        violations=violations,
        violation_outputs=queue.submit(lambda runtime: run_one_by_one(runtime, session.result(), violations)),
    )


def submit_pipeline(
    queue: RuntimeQueue, file: GraphFile, captured: Pipeline, inputs: Inputs, model: Signature
) -> SubmittedPipeline:
    """The pipeline, its preprocess alone on the raw cases, the evaluation items, and its postprocess alone."""
    graph = submit_graph(queue, file)
    beside = inputs.raw[0].inputs if inputs.raw else {}
    postprocess = cut_postprocess(file.model, model, file.signature, inputs.boundary, raw=beside)
    data = captured.preprocess.SerializeToString(deterministic=True)
    preprocess = queue.submit(lambda runtime: load(runtime, data, title="the preprocess"))
    return SubmittedPipeline(
        graph=graph,
        preprocessed=queue.submit(lambda runtime: run_one_by_one(runtime, preprocess.result(), inputs.raw)),
        items=queue.submit(lambda runtime: run_one_by_one(runtime, graph.session.result(), inputs.items)),
        postprocess=postprocess,
        boundary=queue.submit(lambda runtime: run_boundary(runtime, postprocess, len(inputs.boundary))),
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
    weights: Weights | None = None,
    one_file: int = MAX_ONNX_BYTES,
) -> Submitted:
    """Both graphs captured; the runtime is given each file, or the given one in its place, as soon as it is there.

    `weights` are those beside the given files.
    """
    whole = files is None or PIPELINE in files
    where = queue.submit(environment)
    controls = planned(subject.task.answers.controls(subject.problem), subject.signature, whole=whole)
    graph, captured_file = _captured(subject, inputs, opset=opset, one_file=one_file)
    model = submit_graph(queue, _measured_file(captured_file, files, weights))
    mutants = submit_model_mutants(queue, model.file, model.session, controls)
    captured, submitted = None, None
    if whole:
        with _told(subject, inputs, graph):
            captured = capture_pipeline(subject, pipeline, graph, inputs, opset=opset)
            fresh = pipeline_file(subject, captured, inputs, weights=graph.weights)
        file = _measured_file(fresh, files, weights)
        submitted = submit_pipeline(queue, file, captured, inputs, model.file.signature)
        mutants |= submit_postprocess_mutants(queue, submitted.postprocess)
        mutants |= submit_pipeline_mutants(
            queue, file, captured, controls, model=model.session, postprocess=pipeline.answer
        )
    measured = (model.file,) if submitted is None else (model.file, submitted.graph.file)
    return Submitted(
        exported=Exported(graph=graph, composed=captured, graphs=measured),
        environment=where,
        model=model,
        pipeline=submitted,
        controls=controls,
        mutants=mutants,
    )


def _captured(subject: Subject, inputs: Inputs, *, opset: int, one_file: int) -> tuple[Graph, GraphFile]:
    """The model's graph and its file."""
    with _told(subject, inputs, None):
        graph = capture_model(subject, inputs, opset=opset, one_file=one_file)
    with _told(subject, inputs, graph):
        return graph, model_file(subject, graph, inputs)


@contextlib.contextmanager
def _told(subject: Subject, inputs: Inputs, graph: Graph | None) -> Iterator[None]:
    """A refusal names the line of the user's code and what to write instead."""
    try:
        yield
    except (PluginError, NotProved) as error:
        example = example_inputs(subject.signature, inputs.model)
        raise refused(error, subject, example, None if graph is None else graph.plain.model) from error


def _measured_file(fresh: GraphFile, files: Mapping[str, bytes] | None, weights: Weights | None) -> GraphFile:
    return fresh if files is None or fresh.name not in files else fresh.holding(files[fresh.name], weights)
