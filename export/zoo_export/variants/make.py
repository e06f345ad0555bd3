"""A variant of a proved export, from its candidates to its verdict; each phase is a function of frozen values."""

from __future__ import annotations

import hashlib
import math
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import onnx

from zoo.api.errors import Refused, SandboxError, UsageError
from zoo.bundle.judge.evidence import File
from zoo.bundle.judge.variant_evidence import Bits, Candidate, Latency, MetricDrop, NodeSensitivity, VariantEvidence
from zoo.bundle.judge.variant_rule import MIN_ITEMS, judge_variant, upper_drop, within_budget
from zoo.bundle.runtime.manifest import SATURATION
from zoo.bundle.runtime.sandbox import Limits, Runtime, RuntimeRefused
from zoo_export.bundle.variant import Variant, VariantGolden
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.capture.compose import compose
from zoo_export.capture.onnx_graph import describe, name_axes
from zoo_export.capture.torch_export import serialize
from zoo_export.proof.prove import Progress, Proof
from zoo_export.subject.results import Failed, Outputs
from zoo_export.subject.subject import metadata
from zoo_export.variants.calibration import Calibration, calibration_inputs
from zoo_export.variants.convert import Way, convert, ways
from zoo_export.variants.golden import variant_golden
from zoo_export.variants.measure import (
    Baseline,
    Executed,
    agreement,
    execute,
    fidelity,
    item_answers,
    latency,
    measure_baseline,
    other_sizes,
    saturates,
    saturation_probe,
    sqnr,
)
from zoo_export.variants.metric import metric_drop
from zoo_export.variants.mutants import score_mutants
from zoo_export.variants.search import repairs, sensitivity
from zoo_export.variants.weights import weight_fidelity

MEASURED = 4
"""Candidates whose metric and latency are measured: those that are nearest to fp32."""
RANKING_INPUTS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A candidate as files, with what was measured of it."""

    way: Way
    model: onnx.ModelProto
    files: dict[str, bytes]
    """By name inside the variant: model.onnx, pipeline.onnx."""
    answers: tuple[Outputs, ...]
    metric: MetricDrop | Failed
    candidate: Candidate

    def keeps(self, max_drop: float | None) -> bool:
        return not isinstance(self.metric, Failed) and within_budget(self.metric, max_drop)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Workplace:
    """What every candidate needs."""

    baseline: Baseline
    runtime: Runtime
    calibration: Calibration | Failed
    ranges: Path
    bits: Bits
    saturates: bool
    max_drop: float | None

    @property
    def proof(self) -> Proof:
        return self.baseline.proof


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
        probe = saturation_probe(proof.exported.graph.shipped.opset_import[0].version)
        place = _Workplace(
            baseline=baseline,
            runtime=runtime,
            calibration=calibration,
            ranges=Path(folder),
            bits=wanted[0],
            saturates=saturates(runtime, *probe),
            max_drop=max_drop,
        )
        return tuple(_variant(replace(place, bits=bits), progress) for bits in wanted)


def _variant(place: _Workplace, progress: Progress) -> Variant:
    progress(f"{place.bits}: converting and comparing candidates")
    made, refused = _candidates(place)
    nodes: tuple[NodeSensitivity, ...] = ()
    if made and not any(candidate.keeps(place.max_drop) for candidate in made) and _can_repair(made):
        progress(f"{place.bits}: no candidate keeps the budget, looking for the sensitive nodes")
        more, nodes = _repaired(place, min(made, key=_distance))
        made = [*made, *more]
    if not made:
        evidence = replace(_nothing_made(place), candidates=tuple(refused))
        return Variant(name=place.bits, evidence=evidence, verdict=judge_variant(evidence, published={}), files={})
    chosen = _choose(made, place.max_drop)
    progress(f"{place.bits}: measuring {chosen.way.name}, and its mutants")
    kept = set(chosen.way.in_float)
    evidence = replace(
        _measured(place, chosen),
        candidates=(*(candidate.candidate for candidate in made), *refused),
        sensitivity=tuple(replace(node, in_float=node.node in kept) for node in nodes),
    )
    return _judged(place, chosen, evidence)


def _judged(place: _Workplace, chosen: _Made, evidence: VariantEvidence) -> Variant:
    folder = f"variants/{place.bits}/"
    files = {folder + name: data for name, data in chosen.files.items()}
    golden = tuple(variant_golden(chosen.files, chosen.answers, place.baseline, place.runtime, folder=folder))
    if chosen.way.may_saturate:
        probe, feeds, expected = saturation_probe(chosen.model.opset_import[0].version)
        files[folder + SATURATION] = probe
        golden = (*golden, VariantGolden.of_probe(folder, feeds, expected))
    published = {**place.proof.exported.sha256, **{name: _sha256(data) for name, data in files.items()}}
    opset = next(entry.version for entry in chosen.model.opset_import if entry.domain in ("", "ai.onnx"))
    return Variant(
        name=place.bits,
        evidence=evidence,
        verdict=judge_variant(evidence, published=published),
        files=files,
        golden=golden,
        opset=opset,
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _nothing_made(place: _Workplace) -> VariantEvidence:
    return VariantEvidence(
        name=place.bits,
        bits=place.bits,
        method="",
        files=(),
        made_from=place.proof.exported.sha256,
        max_drop=place.max_drop,
    )


# --- candidates ---


def _candidates(place: _Workplace) -> tuple[list[_Made], list[Candidate]]:
    """Those that were measured, and those that were left out with the reason."""
    model = place.proof.exported.graph.shipped
    converted: list[tuple[float, Way, onnx.ModelProto]] = []
    refused = []
    seen = set[str]()
    for way in ways(place.bits, model, saturates=place.saturates):
        result = _converted(place, way)
        if isinstance(result, Failed):
            refused.append(Candidate(name=way.name, refused=result.reason))
            continue
        data = result.SerializeToString(deterministic=True)
        if _sha256(data) in seen:
            refused.append(Candidate(name=way.name, refused="it is the same graph as one before"))
            continue
        seen.add(_sha256(data))
        near = _nearness(place, data)
        if isinstance(near, Failed):
            refused.append(Candidate(name=way.name, refused=near.reason))
        else:
            converted.append((near, way, result))
    converted.sort(key=lambda row: -row[0])
    measured: list[_Made] = []
    for near, way, result in converted:
        if len(measured) == MEASURED:
            words = f"not measured: at {near:.1f} dB it is further from fp32 than the others"
            refused.append(Candidate(name=way.name, refused=words))
            continue
        made = _made(place, way, result)
        if isinstance(made, Failed):
            refused.append(Candidate(name=way.name, refused=made.reason))
        else:
            measured.append(made)
    return measured, refused


def _converted(place: _Workplace, way: Way) -> onnx.ModelProto | Failed:
    inputs = () if isinstance(place.calibration, Failed) else place.calibration.inputs
    if way.kind == "static" and isinstance(place.calibration, Failed):
        return place.calibration
    model = place.proof.exported.graph.shipped
    return convert(model, way, inputs=inputs, ranges=place.ranges)


def _nearness(place: _Workplace, data: bytes) -> float | Failed:
    """The SQNR of the worst output, in dB."""
    baseline = place.baseline
    run = execute(place.runtime, data, baseline.inputs[:RANKING_INPUTS], title="a candidate")
    if isinstance(run, Failed):
        return run
    values = [sqnr(baseline.outputs[:RANKING_INPUTS], run.actual, name) for name in baseline.floats]
    return min((value for value in values if value is not None), default=1e3)


def _made(place: _Workplace, way: Way, converted: onnx.ModelProto) -> _Made | Failed:
    """A converted model composed to a pipeline, and the metric and the latency of that."""
    files, baseline, subject = _files(place, converted), place.baseline, place.proof.subject
    try:
        session = place.runtime.session(files[PIPELINE], title=f"the pipeline of {way.name}")
        answers = item_answers(place.runtime, session, baseline.items, subject.pipeline_signature)
        place.runtime.close(session)
        timed = _latency(place, files[PIPELINE])
    except (RuntimeRefused, SandboxError) as error:
        return Failed(error.message)
    metric = metric_drop(subject.task, subject.problem, baseline.items, baseline.answers, answers)
    known = None if isinstance(metric, Failed) else metric
    return _Made(
        way=way,
        model=onnx.ModelProto.FromString(files[MODEL]),
        files=files,
        answers=answers,
        metric=metric,
        candidate=Candidate(
            name=way.name,
            metric=None if known is None else known.value,
            upper_drop=None if known is None else upper_drop(known),
            bytes=len(files[PIPELINE]),
            ratio=statistics.median(timed.ratios),
        ),
    )


def _files(place: _Workplace, converted: onnx.ModelProto) -> dict[str, bytes]:
    """model.onnx as converted, pipeline.onnx composed around it: preprocess and postprocess stay in fp32."""
    exported, subject = place.proof.exported, place.proof.subject
    pipeline = compose(exported.pipeline.outer, replace(exported.graph, shipped=converted), subject.pipeline_signature)
    opset = next(entry.version for entry in converted.opset_import if entry.domain in ("", "ai.onnx"))
    files = {}
    for name, role, graph, signature in (
        (MODEL, "model", converted, subject.signature),
        (PIPELINE, "pipeline", pipeline, subject.pipeline_signature),
    ):
        name_axes(graph, signature, subject.export.declared_arithmetic)
        del graph.metadata_props[:]
        describe(graph, metadata(subject, role=role, opset=opset, exporter=f"{place.bits} of {MODEL}"))
        files[name] = serialize(graph)
    return files


def _fp32_pipeline(place: _Workplace) -> bytes:
    return place.proof.exported.files[PIPELINE]


def _latency(place: _Workplace, pipeline: bytes) -> Latency:
    """On an evaluation item, else on the first case."""
    case = (*place.baseline.items, *place.proof.inputs.raw)[0]
    return latency(_fp32_pipeline(place), pipeline, case.inputs, place.runtime)


def _distance(made: _Made) -> float:
    return float("inf") if isinstance(made.metric, Failed) else upper_drop(made.metric)


def _choose(made: Sequence[_Made], max_drop: float | None) -> _Made:
    """Of those that keep the budget the fastest, then the smallest; else the nearest to it."""
    keeping = [candidate for candidate in made if candidate.keeps(max_drop)]
    if not keeping:
        return min(made, key=_distance)
    return min(keeping, key=lambda made: (round(made.candidate.ratio or 1.0, 1), made.candidate.bytes or 0))


# --- repair ---


def _can_repair(made: Sequence[_Made]) -> bool:
    return any(not isinstance(candidate.metric, Failed) for candidate in made)


def _repaired(place: _Workplace, nearest: _Made) -> tuple[list[_Made], tuple[NodeSensitivity, ...]]:
    """The nearest candidate with its most sensitive nodes in float, until it keeps the budget."""
    model = place.proof.exported.graph.shipped
    inputs = () if isinstance(place.calibration, Failed) else place.calibration.inputs
    nodes = sensitivity(model, nearest.way, place.baseline, place.runtime, inputs=inputs, ranges=place.ranges)
    tried = list(_tried(place, nearest.way, nodes))
    return tried, nodes


def _tried(place: _Workplace, way: Way, nodes: Sequence[NodeSensitivity]) -> Iterator[_Made]:
    for repaired in repairs(way, nodes):
        converted = _converted(place, repaired)
        made = converted if isinstance(converted, Failed) else _made(place, repaired, converted)
        if isinstance(made, Failed):
            continue
        yield made
        if made.keeps(place.max_drop):
            return


# --- evidence ---


def _measured(place: _Workplace, chosen: _Made) -> VariantEvidence:
    baseline, runtime, files = place.baseline, place.runtime, chosen.files
    folder = f"variants/{place.bits}/"
    run = execute(runtime, files[MODEL], baseline.inputs, title=f"the {place.bits} variant")
    again = execute(runtime, files[MODEL], baseline.inputs[:2], title=f"the {place.bits} variant")
    sizes, failures = other_sizes(runtime, files[MODEL], baseline)
    calibrated = place.calibration.words if isinstance(place.calibration, Calibration) else ""
    evidence = replace(
        _nothing_made(place),
        method=chosen.way.name,
        files=tuple(File(name=folder + name, sha256=_sha256(data), bytes=len(data)) for name, data in files.items()),
        calibration=calibrated if chosen.way.kind == "static" else "",
        metric=None if isinstance(chosen.metric, Failed) else chosen.metric,
        no_metric=chosen.metric.reason if isinstance(chosen.metric, Failed) else "",
        agreement=agreement(baseline, chosen.answers),
        weights=weight_fidelity(place.proof.exported.graph.shipped, chosen.model),
        sizes=sizes,
        size_failures=failures,
        bytes=len(files[PIPELINE]),
        baseline_bytes=len(_fp32_pipeline(place)),
        latency=latency(
            place.proof.exported.files[PIPELINE], files[PIPELINE], place.proof.inputs.raw[0].inputs, runtime
        ),
        saturates=place.saturates if chosen.way.may_saturate else None,
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
