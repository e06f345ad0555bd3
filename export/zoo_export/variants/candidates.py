"""The candidates of a variant: converted, composed, measured against the budget, and repaired where none keeps it."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import onnx

from zoo.api.errors import SandboxError
from zoo.bundle.judge.variant_evidence import Bits, Candidate, Latency, MetricDrop, NodeSensitivity
from zoo.bundle.judge.variant_rule import FASTER, SLOWER, SMALLER, upper_drop, within_budget
from zoo.bundle.sandbox.refusals import RuntimeRefused
from zoo.bundle.sandbox.runtime import Runtime
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.capture.compose import compose
from zoo_export.capture.onnx_graph import describe, name_axes
from zoo_export.capture.torch_export import serialize
from zoo_export.proof.prove import Proof
from zoo_export.subject.results import Failed, Outputs
from zoo_export.subject.subject import metadata
from zoo_export.variants.calibration import Calibration
from zoo_export.variants.convert import Way, convert, ways
from zoo_export.variants.measure import (
    Baseline,
    execute,
    item_answers,
    latency,
    sqnr,
)
from zoo_export.variants.metric import metric_drop
from zoo_export.variants.search import repairs, sensitivity

MEASURED = 4
"""Candidates whose metric and latency are measured: those that are nearest to fp32."""
RANKING_INPUTS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredCandidate:
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

    def gains(self, baseline_bytes: int) -> bool:
        """Whether it is smaller or faster than fp32, and not slower, after the few runs of a candidate."""
        ratio = self.candidate.ratio or 1.0
        smaller = len(self.files[PIPELINE]) <= SMALLER * baseline_bytes
        return ratio <= SLOWER and (smaller or ratio <= FASTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateContext:
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


def sha256(data: bytes) -> str:
    """Of these bytes."""
    return hashlib.sha256(data).hexdigest()


def candidates(context: CandidateContext) -> tuple[list[MeasuredCandidate], list[Candidate]]:
    """Those that were measured, and those that were left out with the reason."""
    model = context.proof.exported.graph.shipped.model
    converted: list[tuple[float, Way, onnx.ModelProto]] = []
    refused = []
    seen = set[str]()
    for way in ways(context.bits, model, saturates=context.saturates):
        result = _converted(context, way)
        if isinstance(result, Failed):
            refused.append(Candidate(name=way.name, refused=result.reason))
            continue
        data = result.SerializeToString(deterministic=True)
        if sha256(data) in seen:
            refused.append(Candidate(name=way.name, refused="it is the same graph as one before"))
            continue
        seen.add(sha256(data))
        near = _nearness(context, data)
        if isinstance(near, Failed):
            refused.append(Candidate(name=way.name, refused=near.reason))
        else:
            converted.append((near, way, result))
    converted.sort(key=lambda row: -row[0])
    measured: list[MeasuredCandidate] = []
    for near, way, result in converted:
        if len(measured) == MEASURED:
            words = f"not measured: at {near:.1f} dB it is further from fp32 than the others"
            refused.append(Candidate(name=way.name, refused=words))
            continue
        made = measured_candidate(context, way, result)
        if isinstance(made, Failed):
            refused.append(Candidate(name=way.name, refused=made.reason))
        else:
            measured.append(made)
    return measured, refused


def _converted(context: CandidateContext, way: Way) -> onnx.ModelProto | Failed:
    inputs = () if isinstance(context.calibration, Failed) else context.calibration.inputs
    if way.kind == "static" and isinstance(context.calibration, Failed):
        return context.calibration
    model = context.proof.exported.graph.shipped.model
    return convert(model, way, inputs=inputs, ranges=context.ranges)


def _nearness(context: CandidateContext, data: bytes) -> float | Failed:
    """The SQNR of the worst output, in dB."""
    baseline = context.baseline
    run = execute(context.runtime, data, baseline.inputs[:RANKING_INPUTS], title="a candidate")
    if isinstance(run, Failed):
        return run
    values = [sqnr(baseline.outputs[:RANKING_INPUTS], run.actual, name) for name in baseline.floats]
    return min((value for value in values if value is not None), default=1e3)


def measured_candidate(context: CandidateContext, way: Way, converted: onnx.ModelProto) -> MeasuredCandidate | Failed:
    """A converted model composed to a pipeline, and the metric and the latency of that."""
    files, baseline, subject = _files(context, converted), context.baseline, context.proof.subject
    try:
        session = context.runtime.session(files[PIPELINE], title=f"the pipeline of {way.name}")
        answers = item_answers(context.runtime, session, baseline.items, subject.pipeline_signature)
        context.runtime.close(session)
        timed = pipeline_latency(context, files[PIPELINE])
    except (RuntimeRefused, SandboxError) as error:
        return Failed(error.message)
    metric = metric_drop(subject.task, subject.problem, baseline.items, baseline.answers, answers)
    known = None if isinstance(metric, Failed) else metric
    return MeasuredCandidate(
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


def _files(context: CandidateContext, converted: onnx.ModelProto) -> dict[str, bytes]:
    """model.onnx as converted, pipeline.onnx composed around it: preprocess and postprocess stay in fp32."""
    exported, subject = context.proof.exported, context.proof.subject
    pipeline = compose(exported.pipeline.outer, replace(exported.graph, shipped=converted), subject.pipeline_signature)
    opset = next(entry.version for entry in converted.opset_import if entry.domain in ("", "ai.onnx"))
    files = {}
    for name, role, graph, signature in (
        (MODEL, "model", converted, subject.signature),
        (PIPELINE, "pipeline", pipeline, subject.pipeline_signature),
    ):
        name_axes(graph, signature, subject.export.declared_arithmetic)
        del graph.metadata_props[:]
        describe(graph, metadata(subject, role=role, opset=opset, exporter=f"{context.bits} of {MODEL}"))
        files[name] = serialize(graph)
    return files


def fp32_pipeline(context: CandidateContext) -> bytes:
    return context.proof.exported.files[PIPELINE]


def pipeline_latency(context: CandidateContext, pipeline: bytes) -> Latency:
    """On an evaluation item, else on the first case."""
    case = (*context.baseline.items, *context.proof.inputs.raw)[0]
    return latency(fp32_pipeline(context), pipeline, case.inputs, context.runtime)


def distance(made: MeasuredCandidate) -> float:
    return float("inf") if isinstance(made.metric, Failed) else upper_drop(made.metric)


def choose(context: CandidateContext, made: Sequence[MeasuredCandidate]) -> MeasuredCandidate:
    """The fastest, then the smallest, of those worth having; else of those in budget; else the nearest to it."""
    keeping = [candidate for candidate in made if candidate.keeps(context.max_drop)]
    if not keeping:
        return min(made, key=distance)
    worth = [candidate for candidate in keeping if _worth(context, candidate)] or keeping
    return min(worth, key=lambda made: (round(made.candidate.ratio or 1.0, 1), made.candidate.bytes or 0))


def _worth(context: CandidateContext, made: MeasuredCandidate) -> bool:
    return made.keeps(context.max_drop) and made.gains(len(fp32_pipeline(context)))


# --- repair ---


def to_repair(context: CandidateContext, made: Sequence[MeasuredCandidate]) -> MeasuredCandidate | None:
    """The candidate to repair: the nearest of those that miss the budget, where none is worth having as it is.

    A candidate that keeps the budget because next to nothing was converted is not worth having.
    """
    missing = [c for c in made if not isinstance(c.metric, Failed) and not c.keeps(context.max_drop)]
    if any(_worth(context, candidate) for candidate in made):
        return None
    return min(missing, key=distance, default=None)


def repaired(
    context: CandidateContext, nearest: MeasuredCandidate
) -> tuple[list[MeasuredCandidate], tuple[NodeSensitivity, ...]]:
    """The nearest candidate with its most sensitive nodes in float, until it keeps the budget."""
    model = context.proof.exported.graph.shipped.model
    inputs = () if isinstance(context.calibration, Failed) else context.calibration.inputs
    nodes = sensitivity(model, nearest.way, context.baseline, context.runtime, inputs=inputs, ranges=context.ranges)
    tried = list(_tried(context, nearest.way, nodes))
    return tried, nodes


def _tried(context: CandidateContext, way: Way, nodes: Sequence[NodeSensitivity]) -> Iterator[MeasuredCandidate]:
    for repaired in repairs(way, nodes):
        converted = _converted(context, repaired)
        made = converted if isinstance(converted, Failed) else measured_candidate(context, repaired, converted)
        if isinstance(made, Failed):
            continue
        yield made
        if made.keeps(context.max_drop):
            return
