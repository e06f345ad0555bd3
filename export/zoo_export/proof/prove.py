"""The whole proof of one export: two graphs, their references beside the runtime, controls, evidence, verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch

from zoo.bundle.judge.evidence import Evidence
from zoo.bundle.judge.verdict import Verdict, judge
from zoo.bundle.runtime.sandbox import Runtime
from zoo.training.engine.threads import idle_cores, use_cores
from zoo_export.capture.capture import PIPELINE, Exported
from zoo_export.controls.power import power
from zoo_export.measure.graph import Answers
from zoo_export.proof.evidence import gather
from zoo_export.proof.phases import Underway
from zoo_export.reference.oracle import Answer
from zoo_export.runtime.queue import beside
from zoo_export.subject.cases import Inputs, collect
from zoo_export.subject.results import Given
from zoo_export.subject.rollout import Walk
from zoo_export.subject.subject import Subject

Progress = Callable[[str], None]
"""Called with what is being done now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was made, what was measured, what follows."""

    subject: Subject
    exported: Exported
    inputs: Inputs
    answers: Mapping[str, Answers]
    """By file name, per case of `inputs`: what is right."""
    given: tuple[Given, ...]
    """Per raw case: what pipeline.onnx answered."""
    walks: tuple[tuple[Walk, Answer | str], ...]
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
    golden_of_users: bool = True,
    progress: Progress = lambda _: None,
) -> Proof:
    """Export the subject and measure the result; with `files`, measure those instead of the fresh ones.

    The runtime works in its own process beside PyTorch: it needs the inputs only, never the references.
    """
    start = time.perf_counter()
    cores = idle_cores()
    use_cores(cores)
    with torch.no_grad(), Runtime() as runtime, beside(runtime) as worker:
        under = Underway(subject, worker)
        under.inputs = collect(subject, under.prepare, evaluate=evaluate, golden_of_users=golden_of_users)
        progress("running PyTorch in double precision")
        with under.clock("parity"):
            under.ask()
        use_cores(cores - 1)  # from here on ONNX Runtime works beside
        progress("capturing the graphs")
        with under.clock("export"):
            under.capture(files, opset=opset)
        under.hand_over()
        progress("running PyTorch in every other way")
        with under.clock("parity"):
            under.refer()
        progress("comparing")
        evidence = gather(under)
        progress("looking at spoilt copies")
        with under.clock("mutation score"):
            evidence = replace(evidence, mutants=power(under, evidence))
        evidence = replace(evidence, seconds=under.clock.seconds)
    return Proof(
        subject=subject,
        exported=under.exported,
        inputs=under.inputs,
        answers=under.answers,
        given=under.trials[PIPELINE].result().given if PIPELINE in under.trials else (),
        walks=tuple(zip(under.walks[PIPELINE], under.walked[PIPELINE], strict=True)),
        evidence=evidence,
        verdict=judge(evidence, published=under.exported.sha256),
        seconds=time.perf_counter() - start,
    )
