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
from zoo.bundle.onnx_file.external_data import MAX_ONNX_BYTES, Weights
from zoo.bundle.sandbox.limits import Limits
from zoo.bundle.sandbox.runtime import Engine, Runtime
from zoo.models.pipeline import TorchPipeline
from zoo.runs.kept_files import nothing_kept
from zoo.training.engine.threads import idle_cores, restored_torch, use_cores
from zoo_export.capture.capture import PIPELINE, Exported
from zoo_export.capture.torch_export import check_size
from zoo_export.controls.equivalence import with_equivalence
from zoo_export.controls.mutation_score import Unmutated, mutation_score
from zoo_export.controls.visible_scale import with_visible_scale
from zoo_export.proof.advice import advice, demand_running
from zoo_export.proof.evidence import boundary_run, gather, raw_agreement
from zoo_export.proof.references import compute_references, run_double
from zoo_export.proof.results import Results, collect_results, timed
from zoo_export.proof.submit import Submitted, capture_and_submit
from zoo_export.reference.kept_outputs import KeptOutputs, kept_outputs
from zoo_export.reference.oracle import ReferenceOutputs
from zoo_export.runtime.queue import RuntimeQueue, runtime_queue
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a proof is asked for; see `prove`."""

    subject: Subject
    opset: int
    evaluate: int
    files: Mapping[str, bytes] | None
    weights: Weights | None
    one_file: int
    golden_of_users: bool
    engine: Engine
    progress: Progress


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
    check_size(subject.module, name=subject.model)
    asked = _Asked(
        subject=subject,
        opset=opset,
        evaluate=evaluate,
        files=files,
        weights=weights,
        one_file=one_file,
        golden_of_users=golden_of_users,
        engine=engine,
        progress=progress,
    )
    try:
        return _prove(asked)
    except _KeptIsWrong:
        progress("starting again: the model gives other outputs than those that were kept of it")
        with nothing_kept():
            return _prove(asked)


class _KeptIsWrong(Exception):
    """The model gives other outputs than those that were kept of it."""


def _prove(asked: _Asked) -> Proof:
    """The whole proof once; _KeptIsWrong where it was made with outputs that no longer hold."""
    start, subject, progress = time.perf_counter(), asked.subject, asked.progress
    cores = idle_cores()  # before the runtime's process starts
    with (
        restored_torch(),
        torch.no_grad(),
        Runtime(engine=asked.engine, limits=_limits(asked)) as runtime,
        runtime_queue(runtime) as queue,
    ):
        use_cores(cores)
        tried = replace(subject, module=own_copy(subject.module))  # a call may change what a module keeps
        pipeline = tried.torch_pipeline()
        prepared = _kept_preprocess(pipeline, asked.files)
        inputs = _inputs(asked, tried, pipeline, prepared)
        progress("running PyTorch in double precision")
        eager = timed(lambda: run_double(tried, inputs, pipeline))
        eager.value.oracle.backends.release()
        use_cores(cores - 1)  # from here on ONNX Runtime works beside PyTorch
        progress("capturing the graphs")
        submitted = timed(lambda: _submit(asked, inputs, pipeline, queue))
        progress("running PyTorch in its other backends")
        references = timed(lambda: compute_references(subject, inputs, eager.value, submitted.value))
        eager.value.oracle.backends.release()
        progress("comparing")
        results = collect_results(
            subject, inputs, submitted.value, eager.value, references.value, queue=queue, opset=asked.opset
        )
        eager.value.oracle.backends.release()
        evidence = gather(results)
        progress("running mutants")
        mutants = timed(lambda: _score(results, evidence, queue))
    _keep(eager.value.oracle.backends.kept, prepared)
    parity = eager.seconds + references.seconds
    seconds = {"parity": parity, "export": submitted.seconds, **evidence.seconds, "mutation score": mutants.seconds}
    evidence = replace(evidence, mutants=mutants.value, seconds=seconds)
    advised = advice(evidence, subject, inputs.model, submitted.value.exported.graph)
    return _proof(results, replace(evidence, advice=advised), seconds=time.perf_counter() - start)


def _limits(asked: _Asked) -> Limits:
    given = 0 if asked.weights is None else asked.weights.bytes
    return Limits.beside(max(state_bytes(asked.subject.module), given))


def _inputs(asked: _Asked, subject: Subject, pipeline: TorchPipeline, prepared: KeptOutputs) -> Inputs:
    """The inputs of the proof, to the first of which the model gives an answer."""
    inputs = collect(
        subject,
        pipeline,
        evaluate=asked.evaluate,
        golden_of_users=asked.golden_of_users,
        preprocess=lambda raw: prepared.get("preprocess", raw, lambda: pipeline.inputs(raw)),
    )
    demand_running(subject, inputs.model[0])
    for note in inputs.notes:
        asked.progress(note)
    return inputs


def _submit(asked: _Asked, inputs: Inputs, pipeline: TorchPipeline, queue: RuntimeQueue) -> Submitted:
    return capture_and_submit(
        asked.subject,
        inputs,
        pipeline,
        queue,
        opset=asked.opset,
        files=asked.files,
        weights=asked.weights,
        one_file=asked.one_file,
    )


def _keep(outputs: KeptOutputs, prepared: KeptOutputs) -> None:
    """Keep what PyTorch gave for the next proof; _KeptIsWrong where what was kept is not what it gives now."""
    if outputs.is_wrong:
        outputs.discard()
        raise _KeptIsWrong
    for kept in (outputs, prepared):
        kept.save()


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


def _score(results: Results, evidence: Evidence, queue: RuntimeQueue) -> tuple[MutantResult, ...]:
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
    scored = with_visible_scale(mutation_score(submitted.controls, mutants, unmutated), mutants, unmutated, queue)
    if not results.whole:
        return scored
    return with_equivalence(
        scored,
        mutants,
        submitted.exported.file(PIPELINE).model,
        pipeline=results.eager.pipelines.single,
        cases=results.inputs.raw,
    )
