"""The variants of a bundle measured anew, beside the fp32 graphs that were just proved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import onnx

from zoo.api.data import counted
from zoo.api.errors import BadFile, HashMismatch, SandboxError
from zoo.bundle.judge.cases import Finding
from zoo.bundle.judge.gates import Gate
from zoo.bundle.judge.parity_rule import K, Status
from zoo.bundle.judge.variant_evidence import VariantEvidence
from zoo.bundle.judge.variant_rule import allowed_drop, judge_measured
from zoo.bundle.onnx_file.safety.scan import demand_safe
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.manifest import VARIANT_GRAPHS, GoldenOutput, VariantRecord
from zoo.bundle.sandbox.limits import Limits
from zoo.bundle.sandbox.refusals import RuntimeRefused
from zoo.bundle.sandbox.runtime import Runtime
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.capture.onnx_graph import nodes
from zoo_export.proof.prove import Progress, Proof
from zoo_export.subject.results import Outputs
from zoo_export.variants.files import measured_files, variant_files
from zoo_export.variants.golden import variant_golden
from zoo_export.variants.measure import Baseline, item_answers, measure_baseline, saturates, saturation_probe
from zoo_export.variants.metric import metric_drop
from zoo_export.verify.rederive import exporter_of, unlike

HALVES = (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
WIDE = K
"""How many times as wide as here a stored tolerance may be."""


FEWER_BITS = ("quantize", "integer", "qlinear", "qgemm", "qattention", "qordered", "nbits")
"""Parts of the names of operators that compute or store in fewer bits."""


def fewer_bits(model: onnx.ModelProto) -> str:
    """Which operators of a file compute or store in fewer bits than fp32, as "16 DequantizeLinear"; empty for none."""
    ops = Counter(
        node.op_type for node in nodes(model.graph) if any(part in node.op_type.lower() for part in FEWER_BITS)
    )
    halves = sum(tensor.data_type in HALVES and len(tensor.dims) > 1 for tensor in model.graph.initializer)
    found = [f"{count} {op}" for op, count in ops.most_common()]
    return ", ".join([*found, f"{counted(halves, 'tensor')} in half precision"] if halves else found)


def variant_gates(bundle: Bundle, proof: Proof, *, progress: Progress = lambda _: None) -> tuple[Gate, ...]:
    """The gates of every variant in fewer bits, each with the variant's name before its own.

    Latency and mutants are the record's, and so are pipelines for one size and for batches.
    """
    records = [record for record in bundle.manifest.variants if record.signature is None]
    if not records:
        return ()
    progress("running the fp32 graphs on the evaluation items")
    gates: list[Gate] = []
    with Runtime(limits=Limits()) as runtime:
        baseline = measure_baseline(proof, runtime)
        for record in records:
            progress(f"{record.name}: measuring it anew")
            gates += _gates(bundle, record, baseline, runtime)
    return tuple(gates)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Again:
    """One variant's graphs beside the proved ones, and their answers to the evaluation items."""

    record: VariantRecord
    recorded: VariantEvidence
    """What the report says of it."""
    files: Mapping[str, bytes]
    answers: tuple[Outputs, ...]
    baseline: Baseline
    runtime: Runtime

    @property
    def proof(self) -> Proof:
        return self.baseline.proof


def _gates(bundle: Bundle, record: VariantRecord, baseline: Baseline, runtime: Runtime) -> list[Gate]:
    try:
        recorded = next(r.evidence for r in bundle.report().variants if r.evidence.name == record.name)
        files = {name: _safe(bundle, record.folder + name) for name in VARIANT_GRAPHS}
        session = runtime.session(files[PIPELINE], title=f"the variant's {PIPELINE}")
        answers = item_answers(runtime, session, baseline.items, baseline.proof.subject.pipeline_signature)
        again = _Again(
            record=record, recorded=recorded, files=files, answers=answers, baseline=baseline, runtime=runtime
        )
        evidence = _measured(again)
        gates = list(judge_measured(evidence))
        for name, finding in (
            ("record", _as_recorded(evidence, recorded)),
            ("pipeline", _pipeline(again)),
            ("golden cases", _golden(again)),
        ):
            gates.append(Gate(name=name, status=finding[0], detail=finding[1]))
    except (BadFile, HashMismatch, RuntimeRefused, SandboxError) as error:
        gates = [Gate(name="graphs", status=Status.FAIL, detail=error.message)]
    except StopIteration:
        gates = [Gate(name="record", status=Status.FAIL, detail="the report knows no such variant")]
    return [replace(gate, name=f"{record.name} {gate.name}") for gate in gates]


def _safe(bundle: Bundle, name: str) -> bytes:
    """The bytes of a graph that the manifest names; nothing of it is loaded before it was scanned."""
    data = bundle.read(name)
    demand_safe(bundle.path / name)
    return data


def _measured(again: _Again) -> VariantEvidence:
    """What the graphs give here, under the budget of the record."""
    subject, baseline, record = again.proof.subject, again.baseline, again.record
    probed = again.recorded.saturates is not None
    evidence = VariantEvidence(
        name=record.name,
        bits=again.recorded.bits,
        method=record.method,
        files=(),
        made_from=again.proof.exported.sha256,
        max_drop=again.recorded.max_drop,
        saturates=saturates(again.runtime, *saturation_probe(record.opset)) if probed else None,
    )
    metric = metric_drop(subject.task, subject.problem, baseline.items, baseline.answers, again.answers)
    return measured_files(
        evidence, again.files, answers=again.answers, metric=metric, baseline=baseline, runtime=again.runtime
    )[0]


def _as_recorded(measured: VariantEvidence, recorded: VariantEvidence) -> Finding:
    """Whether the metric is the one that the record tells, where both are of as many items."""
    here, there = measured.metric, recorded.metric
    if here is None or there is None or here.items != there.items:
        return Status.PASS, "its metric was measured on other items there"
    words = f"{here.name} is {here.value:.4g} here and {there.value:.4g} in the record"
    return (Status.PASS if abs(here.value - there.value) <= allowed_drop(here, None) else Status.FAIL), words


# --- what is derived from model.onnx of the variant ---


def _pipeline(again: _Again) -> Finding:
    """Whether pipeline.onnx is the variant's own model.onnx between the proved preprocess and postprocess."""
    proof, record, files = again.proof, again.record, again.files
    if exporter_of(proof.exported.file(PIPELINE).model) != exporter_of(proof.exported.derived(PIPELINE).model):
        return Status.WARN, "not compared: the fp32 graphs were written by another exporter"
    model = onnx.ModelProto.FromString(files[MODEL])
    fresh = onnx.ModelProto.FromString(variant_files(proof, model, bits=record.bits)[PIPELINE])
    given = onnx.ModelProto.FromString(files[PIPELINE])
    wrong = [*unlike(given, fresh), *_other_weights(given, fresh)]
    if wrong:
        return Status.FAIL, f"{record.folder}{PIPELINE}: {'; '.join(wrong[:3])}"
    return Status.PASS, f"{record.folder}{MODEL} between the preprocess and postprocess that were proved"


def _other_weights(given: onnx.ModelProto, fresh: onnx.ModelProto) -> list[str]:
    stored, expected = (
        {tensor.name: tensor.SerializeToString(deterministic=True) for tensor in model.graph.initializer}
        for model in (given, fresh)
    )
    names = sorted(name for name in {*stored, *expected} if stored.get(name) != expected.get(name))
    return [f"its {name} is not that of {MODEL}" for name in names]


def _golden(again: _Again) -> Finding:
    """Whether the tolerances of the golden cases are what the variant is off from fp32 here."""
    made = variant_golden(again.files, again.answers, again.baseline, again.runtime, folder=again.record.folder)
    limits = {(case.record.graph, output.name): output for case in made for output in case.record.outputs}
    wide = [
        f"{case.name} would let another {output.name} pass"
        for case in again.record.golden
        for output in case.outputs
        if (case.graph, output.name) in limits and _is_wide(output, limits[case.graph, output.name])
    ]
    if wide:
        return Status.FAIL, f"a tolerance is too wide: {'; '.join(wide[:3])}"
    return Status.PASS, "their tolerances are what the variant is off from fp32"


def _is_wide(stored: GoldenOutput, fresh: GoldenOutput) -> bool:
    within = (stored.rms or 0.0) <= WIDE * (fresh.rms or 0.0) and (stored.max or 0.0) <= WIDE * (fresh.max or 0.0)
    return stored.compare != fresh.compare or not within
