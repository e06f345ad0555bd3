"""A variant of a proved export, from its candidates to its verdict; each phase is a function of frozen values."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from zoo.api.errors import Refused, UsageError
from zoo.bundle.judge.evidence import File
from zoo.bundle.judge.variant_evidence import Bits, NodeSensitivity, VariantEvidence
from zoo.bundle.judge.variant_rule import MIN_ITEMS, judge_variant
from zoo.bundle.runtime.manifest import SATURATION
from zoo.bundle.sandbox.limits import Limits
from zoo.bundle.sandbox.runtime import Runtime
from zoo_export.bundle.variant import Variant, VariantGolden
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.proof.prove import Progress, Proof
from zoo_export.subject.results import Failed
from zoo_export.variants.calibration import Calibration, calibration_inputs
from zoo_export.variants.candidates import (
    CandidateContext,
    MeasuredCandidate,
    candidates,
    choose,
    fp32_pipeline,
    pipeline_latency,
    repaired,
    sha256,
    to_repair,
)
from zoo_export.variants.golden import variant_golden
from zoo_export.variants.measure import (
    Executed,
    agreement,
    execute,
    fidelity,
    measure_baseline,
    other_sizes,
    saturates,
    saturation_probe,
)
from zoo_export.variants.mutants import score_mutants
from zoo_export.variants.weights import weight_fidelity


def check_variants(wanted: Sequence[Bits], *, trained: bool, max_drop: float | None, evaluate: int) -> None:
    """What can be refused before anything is loaded."""
    if max_drop is not None and (not math.isfinite(max_drop) or max_drop < 0):
        raise UsageError(f"--max-drop is {max_drop}; it must be 0 or more, in the units of the metric")
    if not wanted:
        return
    if not trained:
        raise UsageError(
            f"{wanted[0]} needs a trained model: random weights reach no metric that could fall",
            hint="name a run or weights, as in cnn@digits; or leave the variant out",
        )
    if evaluate < MIN_ITEMS:
        raise UsageError(
            f"--evaluate is {evaluate}, and a variant needs {MIN_ITEMS} evaluation items: fewer hide a loss of 1 %",
            hint="leave --evaluate out",
        )


def make_variants(
    proof: Proof, wanted: Sequence[Bits], *, max_drop: float | None = None, progress: Progress = lambda _: None
) -> tuple[Variant, ...]:
    """The variants that were asked for, each with its verdict."""
    if not wanted:
        return ()
    subject = proof.subject
    if proof.exported.weights is not None:
        raise Refused(f"{subject.model} has its weights beside its graphs, and no variant can be made of such a model")
    progress("running the fp32 graphs on the evaluation items")
    with Runtime(limits=Limits()) as runtime, tempfile.TemporaryDirectory(prefix="zoo-") as folder:
        baseline = measure_baseline(proof, runtime)
        calibration = calibration_inputs(subject, subject.torch_pipeline())
        probe = saturation_probe(proof.exported.graph.shipped.model.opset_import[0].version)
        context = CandidateContext(
            baseline=baseline,
            runtime=runtime,
            calibration=calibration,
            ranges=Path(folder),
            bits=wanted[0],
            saturates=saturates(runtime, *probe),
            max_drop=max_drop,
        )
        return tuple(_variant(replace(context, bits=bits), progress) for bits in wanted)


def _variant(context: CandidateContext, progress: Progress) -> Variant:
    progress(f"{context.bits}: converting and comparing candidates")
    made, refused = candidates(context)
    nodes: tuple[NodeSensitivity, ...] = ()
    if (nearest := to_repair(context, made)) is not None:
        progress(f"{context.bits}: no candidate keeps the budget, looking for the sensitive nodes")
        more, nodes = repaired(context, nearest)
        made = [*made, *more]
    if not made:
        evidence = replace(_nothing_made(context), candidates=tuple(refused))
        return Variant(name=context.bits, evidence=evidence, verdict=judge_variant(evidence, published={}), files={})
    chosen = choose(context, made)
    progress(f"{context.bits}: measuring {chosen.way.name}, and its mutants")
    kept = set(chosen.way.in_float)
    evidence = replace(
        _measured(context, chosen),
        candidates=(*(candidate.candidate for candidate in made), *refused),
        sensitivity=tuple(replace(node, in_float=node.node in kept) for node in nodes),
    )
    return _judged(context, chosen, evidence)


def _judged(context: CandidateContext, chosen: MeasuredCandidate, evidence: VariantEvidence) -> Variant:
    folder = f"variants/{context.bits}/"
    files = {folder + name: data for name, data in chosen.files.items()}
    golden = tuple(variant_golden(chosen.files, chosen.answers, context.baseline, context.runtime, folder=folder))
    if chosen.way.may_saturate:
        probe, feeds, expected = saturation_probe(chosen.model.opset_import[0].version)
        files[folder + SATURATION] = probe
        golden = (*golden, VariantGolden.of_probe(folder, feeds, expected))
    published = {**context.proof.exported.sha256, **{name: sha256(data) for name, data in files.items()}}
    opset = next(entry.version for entry in chosen.model.opset_import if entry.domain in ("", "ai.onnx"))
    return Variant(
        name=context.bits,
        evidence=evidence,
        verdict=judge_variant(evidence, published=published),
        files=files,
        golden=golden,
        opset=opset,
    )


def _nothing_made(context: CandidateContext) -> VariantEvidence:
    return VariantEvidence(
        name=context.bits,
        bits=context.bits,
        method="",
        files=(),
        made_from=context.proof.exported.sha256,
        max_drop=context.max_drop,
    )


def _measured(context: CandidateContext, chosen: MeasuredCandidate) -> VariantEvidence:
    baseline, runtime, files = context.baseline, context.runtime, chosen.files
    folder = f"variants/{context.bits}/"
    run = execute(runtime, files[MODEL], baseline.inputs, title=f"the {context.bits} variant")
    again = execute(runtime, files[MODEL], baseline.inputs[:2], title=f"the {context.bits} variant")
    sizes, failures = other_sizes(runtime, files[MODEL], baseline)
    calibrated = context.calibration.words if isinstance(context.calibration, Calibration) else ""
    evidence = replace(
        _nothing_made(context),
        method=chosen.way.name,
        files=tuple(File(name=folder + name, sha256=sha256(data), bytes=len(data)) for name, data in files.items()),
        calibration=calibrated if chosen.way.kind == "static" else "",
        metric=None if isinstance(chosen.metric, Failed) else chosen.metric,
        no_metric=chosen.metric.reason if isinstance(chosen.metric, Failed) else "",
        agreement=agreement(baseline, chosen.answers),
        weights=weight_fidelity(context.proof.exported.graph.shipped.model, chosen.model),
        sizes=sizes,
        size_failures=failures,
        bytes=len(files[PIPELINE]),
        baseline_bytes=len(fp32_pipeline(context)),
        latency=pipeline_latency(context, files[PIPELINE]),
        saturates=context.saturates if chosen.way.may_saturate else None,
    )
    if isinstance(run, Failed) or isinstance(again, Failed):
        return replace(evidence, size_failures=(*failures, run.reason if isinstance(run, Failed) else ""))
    evidence = replace(
        evidence,
        outputs=fidelity(baseline.outputs, run.actual, run.in_float, baseline.floats),
        repeats_equal=_equal(run, again),
    )
    return replace(evidence, mutants=score_mutants(chosen.model, evidence, run, baseline, runtime))


def _equal(run: Executed, again: Executed) -> bool:
    pairs = zip(run.actual, again.actual, strict=False)
    return all(first[name].tobytes() == second[name].tobytes() for first, second in pairs for name in first)
