"""The verdict on another runtime: one that computes in single precision is put to the judge of the proof itself, one
that computes in less is held to a budget of the task's metric.

verdict = judge_runtime(evidence, published={"model.onnx": sha256, "pipeline.onnx": sha256, "variants/mnn/…": sha256})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from zoo.api.runtime import RuntimePrecision
from zoo.bundle.judge.evidence import Evidence, File
from zoo.bundle.judge.gates import Gate
from zoo.bundle.judge.parity_rule import Status, worst
from zoo.bundle.judge.variant_evidence import VariantEvidence
from zoo.bundle.judge.variant_rule import VARIANT_GATES
from zoo.bundle.judge.verdict import judge

LOADS, FILES = "loads", "files"
BUDGET_GATES: Final = ("metric", "agreement", "fidelity", "determinism", "sizes")
"""Of the rule for less precision, those about what a runtime does; the others are about a file with fewer bits."""
RUNTIME_GUARDS: Final = {
    LOADS: "A runtime that does not take the graphs, or an operator of them.",
    FILES: "Measurements of another runtime, or of other files than those in the bundle.",
}
"""What the gates of this rule are there for; the others are gates of the proof and of variants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeEvidence:
    """What was measured of the graphs of a bundle in another runtime."""

    name: str
    title: str
    provider: str
    """The runtime with its version, where it computes, and in what: "OpenVINO 2026.4.1, CPU, float32"."""
    precision: RuntimePrecision
    files: tuple[File, ...] = ()
    """Its own files, by their names inside the bundle; empty where it reads ONNX."""
    refused: str = ""
    """Why it does not take the graphs, in a sentence; empty where it does."""
    parity: Evidence | None = None
    """The whole proof, executed there; of a runtime in single precision."""
    budget: VariantEvidence | None = None
    """Of a runtime in less precision, beside the answers of ONNX Runtime."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeVerdict:
    """The gates of a runtime and what follows from them."""

    status: Status
    gates: tuple[Gate, ...]
    sentence: str
    """The verdict in words."""

    @property
    def publishes(self) -> bool:
        """PASS and WARN do."""
        return self.status in (Status.PASS, Status.WARN)


def judge_runtime(evidence: RuntimeEvidence, *, published: Mapping[str, str]) -> RuntimeVerdict:
    """The verdict on a runtime for the graphs and files in `published`, by name with their sha256."""
    if evidence.refused:
        gates: tuple[Gate, ...] = (Gate(name=LOADS, status=Status.FAIL, detail=evidence.refused),)
    else:
        loads = Gate(name=LOADS, status=Status.PASS, detail=f"{evidence.provider} takes both graphs")
        gates = (loads, _files(evidence, published), *_measured(evidence, published))
    status = worst(*(gate.status for gate in gates))
    return RuntimeVerdict(status=status, gates=gates, sentence=_sentence(evidence, gates, status))


def _files(evidence: RuntimeEvidence, published: Mapping[str, str]) -> Gate:
    wrong = [file.name for file in evidence.files if published.get(file.name) != file.sha256]
    if wrong:
        detail = f"{wrong[0]}: the bytes measured are not the bytes to be published"
        return Gate(name=FILES, status=Status.FAIL, detail=detail)
    detail = f"{len(evidence.files)} of its own" if evidence.files else "it reads the ONNX files"
    return Gate(name=FILES, status=Status.PASS, detail=detail)


def _measured(evidence: RuntimeEvidence, published: Mapping[str, str]) -> tuple[Gate, ...]:
    """The gates of the rule that holds for its precision."""
    graphs = {name: digest for name, digest in published.items() if "/" not in name}
    if evidence.precision == "float32":
        if evidence.parity is None:
            return (_wrong("parity", "not measured", status=Status.INCONCLUSIVE),)
        if evidence.parity.environment.provider != evidence.provider:
            return (_wrong("parity", f"measured in {evidence.parity.environment.provider}, not there"),)
        return judge(evidence.parity, published=graphs).gates
    if evidence.budget is None:
        return (_wrong("metric", "not measured", status=Status.INCONCLUSIVE),)
    if any(graphs.get(name) != digest for name, digest in evidence.budget.made_from.items()):
        return (_wrong("metric", "the graphs measured are not the graphs to be published"),)
    return tuple(_gate(gate.name, gate.check, evidence.budget) for gate in VARIANT_GATES if gate.name in BUDGET_GATES)


def _gate(name: str, check: Callable[[VariantEvidence], tuple[Status, str]], evidence: VariantEvidence) -> Gate:
    try:
        status, detail = check(evidence)
    except Exception as error:  # evidence that a gate cannot even read must not pass
        return _wrong(name, f"the evidence cannot be read: {type(error).__name__}: {error}")
    return Gate(name=name, status=status, detail=detail)


def _wrong(name: str, detail: str, *, status: Status = Status.FAIL) -> Gate:
    return Gate(name=name, status=status, detail=detail)


def _sentence(evidence: RuntimeEvidence, gates: tuple[Gate, ...], status: Status) -> str:
    where = evidence.provider or evidence.title
    reasons = [f"{gate.name}: {gate.detail}" for gate in gates if gate.status == status]
    if status in (Status.PASS, Status.WARN):
        words = "proved" if evidence.precision == "float32" else f"within its budget in {evidence.precision}"
        warned = [gate.name for gate in gates if gate.status == Status.WARN]
        return f"{words} in {where}" + (f", with a warning from {', '.join(warned)}" if warned else "")
    return f"refused ({status}) in {where}: {'; '.join(reasons)}"
