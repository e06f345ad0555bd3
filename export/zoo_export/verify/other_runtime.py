"""A proved export in another runtime: converted where that has a file of its own, executed there, judged."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from zoo.api.errors import SandboxError, UsageError
from zoo.bundle.judge.evidence import File
from zoo.bundle.judge.gates import Gate
from zoo.bundle.judge.runtime_rule import RuntimeEvidence, judge_runtime
from zoo.bundle.judge.variant_evidence import VariantEvidence
from zoo.bundle.runtime.manifest import RuntimeRecord
from zoo.bundle.sandbox.installed_runtime import REFERENCE, InstalledRuntime, find_runtime
from zoo.bundle.sandbox.refusals import RuntimeRefused
from zoo.bundle.sandbox.runtime import Runtime
from zoo.registry.catalog import Catalog
from zoo_export.bundle.runtime import JudgedRuntime
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.proof.prove import Progress, Proof, prove
from zoo_export.runtime.environment import provider_of
from zoo_export.subject.results import Failed, Outputs
from zoo_export.variants.measure import (
    Baseline,
    agreement,
    fidelity,
    item_answers,
    measure_baseline,
    other_sizes,
)
from zoo_export.variants.metric import metric_drop

REPEATED = 2
"""Inputs that are run in a second session, to see whether the bits are the same."""


def check_runtimes(names: Sequence[str], catalog: Catalog) -> tuple[InstalledRuntime, ...]:
    """The runtimes of --for, each once, before anything is loaded; UsageError for ONNX Runtime, which needs no asking.

    Other errors as in `find_runtime`.
    """
    installed = {runtime.name: runtime for runtime in (find_runtime(name, catalog) for name in names)}
    if REFERENCE in installed:
        raise UsageError(
            f"every bundle is for {REFERENCE}: its proof is made with it",
            hint="leave out --for, or name another runtime: zoo list --runtimes",
        )
    return tuple(installed.values())


def judge_runtimes(
    proof: Proof,
    runtimes: Sequence[InstalledRuntime],
    *,
    evaluate: int,
    max_drop: float | None = None,
    progress: Progress = lambda _: None,
) -> tuple[JudgedRuntime, ...]:
    """The export in each runtime, with its verdict; `evaluate` is as in `prove`, `max_drop` as in `export`.

    One whose weights lie beside its graphs is refused by each, so that the bundle is published without them.
    """
    return tuple(
        _judged(proof, runtime, evaluate=evaluate, max_drop=max_drop, progress=progress) for runtime in runtimes
    )


def budget_gates(
    proof: Proof, installed: InstalledRuntime, *, evaluate: int, progress: Progress = lambda _: None
) -> tuple[Gate, ...]:
    """The gates of a runtime in less than single precision, each with the runtime's name before its own."""
    judged = judge_runtimes(proof, (installed,), evaluate=evaluate, progress=progress)[0]
    return tuple(replace(gate, name=f"{installed.name} {gate.name}") for gate in judged.verdict.gates)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """What a runtime says of itself, with its own files by the graph that they were made of."""

    provider: str
    files: Mapping[str, Mapping[str, bytes]]


def _judged(
    proof: Proof, installed: InstalledRuntime, *, evaluate: int, max_drop: float | None, progress: Progress
) -> JudgedRuntime:
    progress(f"{installed.name}: loading the graphs")
    loaded = _load(proof, installed)
    evidence = RuntimeEvidence(
        name=installed.name, title=installed.title, provider=installed.title, precision=installed.precision
    )
    if isinstance(loaded, Failed):
        evidence = replace(evidence, refused=loaded.reason)
        return JudgedRuntime(evidence=evidence, verdict=judge_runtime(evidence, published={}), files={})
    own = [
        File(name=name, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
        for files in loaded.files.values()
        for name, data in files.items()
    ]
    evidence = replace(evidence, provider=loaded.provider, files=tuple(own))
    if installed.is_exact:
        progress(f"{installed.name}: the whole proof, executed there")
        again = prove(
            proof.subject,
            opset=proof.exported.graph.shipped.model.opset_import[0].version,
            evaluate=evaluate,
            files=proof.exported.files,
            engine=installed,
        )
        evidence = replace(evidence, parity=again.evidence)
    else:
        progress(f"{installed.name}: the evaluation items in {installed.precision}")
        evidence = replace(evidence, budget=measure_budget(proof, installed, max_drop=max_drop))
    published = {**proof.exported.sha256, **{file.name: file.sha256 for file in own}}
    return JudgedRuntime(evidence=evidence, verdict=judge_runtime(evidence, published=published), files=loaded.files)


def _load(proof: Proof, installed: InstalledRuntime) -> _Loaded | Failed:
    """Both graphs loaded once: most refusals show here, in one sentence instead of a gate for each case."""
    if proof.exported.weights is not None:
        return Failed(
            "its weights lie beside its graphs, and --for gives a runtime single files; "
            f"`zoo verify BUNDLE --runtime {installed.name}` puts the golden cases to it"
        )
    record = RuntimeRecord(
        name=installed.name, title="", provider="", precision=installed.precision, verdict="PASS", sentence=""
    )
    files: dict[str, Mapping[str, bytes]] = {}
    try:
        with Runtime(engine=installed) as runtime:
            for name in (MODEL, PIPELINE):
                data = proof.exported.files[name]
                if installed.suffix:
                    own = runtime.convert(data, title=name)
                    runtime.close(runtime.own_session(own))
                    files[name] = {record.folder + file: content for file, content in own.items()}
                else:
                    runtime.close(runtime.session(data, title=name))
            return _Loaded(provider=provider_of(runtime), files=files)
    except (RuntimeRefused, SandboxError) as error:
        return Failed(error.message)


# --- less than single precision ---


def measure_budget(proof: Proof, installed: InstalledRuntime, *, max_drop: float | None) -> VariantEvidence:
    """The answers in less precision beside those of ONNX Runtime, on the evaluation items."""
    with Runtime() as runtime:
        baseline = measure_baseline(proof, runtime)
    evidence = VariantEvidence(
        name=installed.name,
        bits=installed.precision,
        method=f"{installed.title} in {installed.precision}",
        files=(),
        made_from=proof.exported.sha256,
        max_drop=max_drop,
    )
    try:
        with Runtime(engine=installed) as runtime:
            return _measured(evidence, proof, baseline, runtime)
    except (RuntimeRefused, SandboxError) as error:
        return replace(evidence, size_failures=(error.message,))


def _measured(evidence: VariantEvidence, proof: Proof, baseline: Baseline, runtime: Runtime) -> VariantEvidence:
    subject, data = proof.subject, proof.exported.files[MODEL]
    actual, again = (_outputs(runtime, data, inputs) for inputs in (baseline.inputs, baseline.inputs[:REPEATED]))
    pipeline = runtime.session(proof.exported.files[PIPELINE], title=PIPELINE)
    answers = item_answers(runtime, pipeline, baseline.items, subject.pipeline_signature)
    metric = metric_drop(subject.task, subject.problem, baseline.items, baseline.answers, answers)
    sizes, failures = other_sizes(runtime, data, baseline)
    return replace(
        evidence,
        metric=None if isinstance(metric, Failed) else metric,
        no_metric=metric.reason if isinstance(metric, Failed) else "",
        agreement=agreement(baseline, answers),
        outputs=fidelity(baseline.outputs, actual, actual, baseline.floats),
        repeats_equal=all(
            first[name].tobytes() == second[name].tobytes()
            for first, second in zip(actual, again, strict=False)
            for name in first
        ),
        sizes=sizes,
        size_failures=failures,
    )


def _outputs(runtime: Runtime, data: bytes, inputs: Sequence[Outputs]) -> tuple[Outputs, ...]:
    """What a session of its own gives for these inputs."""
    session = runtime.session(data, title=MODEL)
    outputs = tuple(runtime.run(session, given) for given in inputs)
    runtime.close(session)
    return outputs
