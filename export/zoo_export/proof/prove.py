"""The whole proof of one export, in a straight line: each phase is a function from frozen values to a frozen value.

Collect inputs, capture, submit to the runtime, compute references, gather evidence, score the mutants, judge.  The
runtime works in its own process beside PyTorch: it needs the inputs only, never the references.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch

from zoo.api.task import Signature
from zoo.bundle.judge.evidence import Evidence, MutantResult
from zoo.bundle.judge.verdict import Verdict, judge
from zoo.bundle.runtime.external_data import MAX_ONNX_BYTES, Weights
from zoo.bundle.runtime.sandbox import Engine, Limits, Runtime
from zoo.models.pipeline import TorchPipeline
from zoo.runs.kept_files import nothing_kept
from zoo.training.engine.threads import idle_cores, restored_torch, use_cores
from zoo_export.capture.capture import PIPELINE, Exported
from zoo_export.capture.torch_export import check_size
from zoo_export.controls.equivalence import with_equivalence
from zoo_export.controls.mutation_score import Unmutated, mutation_score
from zoo_export.proof.advice import advice, demand_running
from zoo_export.proof.evidence import boundary_run, gather, raw_agreement
from zoo_export.proof.references import compute_references, run_double
from zoo_export.proof.results import Results, collect_results, timed
from zoo_export.proof.submit import capture_and_submit
from zoo_export.reference.kept_outputs import KeptOutputs, kept_outputs
from zoo_export.reference.oracle import ReferenceOutputs
from zoo_export.runtime.queue import runtime_queue
from zoo_export.subject.choose_cases import Inputs, collect
from zoo_export.subject.results import Failed, RuntimeOutputs
from zoo_export.subject.rollout import Rollout
from zoo_export.subject.state_dict import own_copy, state_bytes
from zoo_export.subject.subject import Subject

Progress = Callable[[str], None]
"""Called with what is being done now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was exported, what was measured, what follows."""

    subject: Subject
    exported: Exported
    inputs: Inputs
    references: Mapping[str, tuple[ReferenceOutputs | Failed, ...]]
    """By file name, per case of `inputs`: what is right."""
    answers: tuple[RuntimeOutputs, ...]
    """Per raw case: what pipeline.onnx gave."""
    rollouts: tuple[tuple[Rollout, ReferenceOutputs | Failed], ...]
    """Through pipeline.onnx, its state fed back, with what is right; empty for a graph without state."""
    evidence: Evidence
    verdict: Verdict
    seconds: float


def prove(
    subject: Subject,
    *,
    opset: int,
    evaluate: int = 500,
    files: Mapping[str, bytes] | None = None,
    weights: Weights | None = None,
    one_file: int = MAX_ONNX_BYTES,
    golden_of_users: bool = True,
    engine: Engine = "onnxruntime",
    progress: Progress = lambda _: None,
) -> Proof:
    """Export the subject and measure the result; with `files`, measure those instead of the fresh ones.

    `weights` are those beside the given files.  A model of more bytes than `one_file` has its own beside its graphs.
    `engine` is the runtime that executes the graphs.

    PyTorch's thread count and random state are put back at the end.
    """
    start = time.perf_counter()
    check_size(subject.module, name=subject.model)
    limits = Limits.beside(max(state_bytes(subject.module), 0 if weights is None else weights.bytes))
    cores = idle_cores()  # before the runtime's process starts
    with (
        restored_torch(),
        torch.no_grad(),
        Runtime(engine=engine, limits=limits) as runtime,
        runtime_queue(runtime) as queue,
    ):
        use_cores(cores)
        tried = replace(subject, module=own_copy(subject.module))  # a call may change what a module keeps
        pipeline = tried.torch_pipeline()
        prepared = _kept_preprocess(pipeline, files)
        inputs = collect(
            tried,
            pipeline,
            evaluate=evaluate,
            golden_of_users=golden_of_users,
            preprocess=lambda raw: prepared.get("preprocess", raw, lambda: pipeline.inputs(raw)),
        )
        demand_running(tried, inputs.model[0])
        for note in inputs.notes:
            progress(note)
        progress("running PyTorch in double precision")
        eager = timed(lambda: run_double(tried, inputs, pipeline))
        use_cores(cores - 1)  # from here on ONNX Runtime works beside PyTorch
        progress("capturing the graphs")
        submitted = timed(
            lambda: capture_and_submit(
                subject, inputs, pipeline, queue, opset=opset, files=files, weights=weights, one_file=one_file
            )
        )
        progress("running PyTorch in its other backends")
        references = timed(lambda: compute_references(subject, inputs, eager.value, submitted.value))
        progress("comparing")
        results = collect_results(
            subject, inputs, submitted.value, eager.value, references.value, queue=queue, opset=opset
        )
        evidence = gather(results)
        progress("running mutants")
        mutants = timed(lambda: _score(results, evidence))
    kept = eager.value.oracle.backends.kept
    if kept.is_wrong:
        kept.discard()
        progress("starting again: the model gives other outputs than those that were kept of it")
        with nothing_kept():
            return prove(
                subject,
                opset=opset,
                evaluate=evaluate,
                files=files,
                weights=weights,
                one_file=one_file,
                golden_of_users=golden_of_users,
                engine=engine,
                progress=progress,
            )
    for outputs in (kept, prepared):
        outputs.save()
    seconds = {
        "parity": eager.seconds + references.seconds,
        "export": submitted.seconds,
        **evidence.seconds,
        "mutation score": mutants.seconds,
    }
    evidence = replace(evidence, mutants=mutants.value, seconds=seconds)
    graph = submitted.value.exported.graph
    evidence = replace(evidence, advice=advice(evidence, subject, inputs.model, graph))
    return _proof(results, evidence, seconds=time.perf_counter() - start)


def _kept_preprocess(pipeline: TorchPipeline, files: Mapping[str, bytes] | None) -> KeptOutputs:
    """What the preprocess gave before; nothing where pipeline.onnx is measured, which it says what is right for.

    A model alone is measured on any input: its references follow from the input, whatever that is.
    """
    if files is None or PIPELINE in files:
        return KeptOutputs(name=None)
    ports = Signature(inputs=pipeline.signature.inputs, outputs=pipeline.model_signature.inputs)
    return kept_outputs(pipeline.preprocess, ports, is_checked=False)


def _proof(results: Results, evidence: Evidence, *, seconds: float) -> Proof:
    exported = results.submitted.exported
    return Proof(
        subject=results.subject,
        exported=exported,
        inputs=results.inputs,
        references={name: graph.references for name, graph in results.runs.items()},
        answers=results.runs[PIPELINE].result.outputs if results.whole else (),
        rollouts=_rollouts(results),
        evidence=evidence,
        verdict=judge(evidence, published=exported.sha256),
        seconds=seconds,
    )


def _rollouts(results: Results) -> tuple[tuple[Rollout, ReferenceOutputs | Failed], ...]:
    submitted, references = results.submitted.pipeline, results.references.pipeline
    if submitted is None or references is None:
        return ()
    return tuple(zip(submitted.graph.rollouts, references.rollouts, strict=True))


def _score(results: Results, evidence: Evidence) -> tuple[MutantResult, ...]:
    submitted = results.submitted
    unmutated = Unmutated(
        evidence=evidence,
        exported=submitted.exported,
        runs=results.runs,
        declared=results.declared,
        problem=results.subject.problem,
        preprocessed=results.references.preprocessed,
        answers=raw_agreement(results) if results.whole else None,
        boundary=boundary_run(results) if results.whole else None,
    )
    mutants = {name: mutant.result() for name, mutant in submitted.mutants.items()}
    scored = mutation_score(submitted.controls, mutants, unmutated)
    if not results.whole:
        return scored
    return with_equivalence(
        scored,
        mutants,
        submitted.exported.models[PIPELINE],
        pipeline=results.eager.pipelines.single,
        cases=results.inputs.raw,
    )
