"""The two graphs of a variant, and what follows from them alone: an export measures it, and `zoo verify` again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import onnx

from zoo.bundle.judge.variant_evidence import MetricDrop, VariantEvidence
from zoo.bundle.sandbox.runtime import Runtime
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.capture.compose import compose
from zoo_export.capture.onnx_graph import describe, name_axes
from zoo_export.capture.stored_model import StoredModel
from zoo_export.capture.torch_export import serialize
from zoo_export.proof.prove import Proof
from zoo_export.subject.results import Failed, Outputs
from zoo_export.subject.subject import metadata
from zoo_export.variants.measure import Baseline, Executed, agreement, execute, fidelity, other_sizes
from zoo_export.variants.weights import weight_fidelity

REPEATED = 2
"""Inputs that are run in a second session, to see whether the bits are the same."""


def variant_files(proof: Proof, converted: onnx.ModelProto, *, bits: str) -> dict[str, bytes]:
    """model.onnx as converted, pipeline.onnx composed around it: preprocess and postprocess stay in fp32."""
    exported, subject = proof.exported, proof.subject
    inner = replace(exported.graph, shipped=StoredModel.of(converted))
    pipeline = compose(exported.pipeline.outer, inner, subject.pipeline_signature)
    opset = next(entry.version for entry in converted.opset_import if entry.domain in ("", "ai.onnx"))
    files = {}
    for name, role, graph, signature in (
        (MODEL, "model", converted, subject.signature),
        (PIPELINE, "pipeline", pipeline, subject.pipeline_signature),
    ):
        name_axes(graph, signature, subject.export.declared_arithmetic)
        del graph.metadata_props[:]
        describe(graph, metadata(subject, role=role, opset=opset, exporter=f"{bits} of {MODEL}"))
        files[name] = serialize(graph)
    return files


def measured_files(
    evidence: VariantEvidence,
    files: Mapping[str, bytes],
    *,
    answers: Sequence[Outputs],
    metric: MetricDrop | Failed,
    baseline: Baseline,
    runtime: Runtime,
) -> tuple[VariantEvidence, Executed | Failed]:
    """The evidence with what these graphs give, and the run of model.onnx on the held-out inputs.

    `answers` are those of the variant's pipeline.onnx to the evaluation items.
    """
    title = f"the {evidence.name} variant"
    run = execute(runtime, files[MODEL], baseline.inputs, title=title)
    again = execute(runtime, files[MODEL], baseline.inputs[:REPEATED], title=title)
    sizes, failures = other_sizes(runtime, files[MODEL], baseline)
    model = onnx.ModelProto.FromString(files[MODEL])
    evidence = replace(
        evidence,
        metric=None if isinstance(metric, Failed) else metric,
        no_metric=metric.reason if isinstance(metric, Failed) else "",
        agreement=agreement(baseline, answers),
        weights=weight_fidelity(baseline.proof.exported.file(MODEL).model, model),
        sizes=sizes,
        size_failures=failures,
        bytes=len(files[PIPELINE]),
        baseline_bytes=len(baseline.proof.exported.files[PIPELINE]),
    )
    if isinstance(run, Failed) or isinstance(again, Failed):
        failed = run if isinstance(run, Failed) else again
        assert isinstance(failed, Failed), "one of both"
        return replace(evidence, size_failures=(*failures, failed.reason)), failed
    outputs = fidelity(baseline.outputs, run.actual, run.in_float, baseline.floats)
    return replace(evidence, outputs=outputs, repeats_equal=_equal(run, again)), run


def _equal(run: Executed, again: Executed) -> bool:
    pairs = zip(run.actual, again.actual, strict=False)
    return all(first[name].tobytes() == second[name].tobytes() for first, second in pairs for name in first)
