"""Gates to one verdict, fail-closed: PASS and WARN publish, anything else does not.

verdict = judge(evidence, published={"model.onnx": sha256, "pipeline.onnx": sha256})
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from zoo.bundle.judge import evidence as measured
from zoo.bundle.judge import gates
from zoo.bundle.judge.cases import Finding, roles
from zoo.bundle.judge.evidence import Evidence
from zoo.bundle.judge.gates import KILLING_GATES, Gate
from zoo.bundle.judge.parity_rule import K, Status, worst
from zoo.bundle.judge.truth import truth


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSpec:
    """A gate by name, with what it is there for."""

    name: str
    check: Callable[[Evidence], Finding]
    guards: str
    """What would go unnoticed without it."""


GATES = (
    GateSpec(
        name="eval mode",
        check=gates.eval_mode,
        guards="A model exported in training mode keeps live dropout and batch statistics; PyTorch only warns.",
    ),
    GateSpec(
        name="determinism",
        check=gates.determinism,
        guards="A model that samples gives random answers, and random answers compare well with random answers.",
    ),
    GateSpec(
        name="liveness",
        check=gates.liveness,
        guards="An output that never changes equals its copy whatever went wrong before it.",
    ),
    GateSpec(
        name="conditioning",
        check=gates.conditioning,
        guards="Where PyTorch itself is unsure, no comparison can tell right from wrong.",
    ),
    GateSpec(
        name="parity",
        check=gates.parity,
        guards="model.onnx against your own model in fp64: at most 8 times as far off as PyTorch's fp32 is.",
    ),
    GateSpec(
        name="pipeline",
        check=gates.pipeline,
        guards="From the raw file to the answer: colours, resizing and normalisation go wrong silently.",
    ),
    GateSpec(
        name="lineage",
        check=gates.lineage,
        guards="The weights in the file are the trained ones, bit for bit; a small change can hide in the noise.",
    ),
    GateSpec(
        name="axes",
        check=gates.axes,
        guards="An axis that says it is dynamic and is not works only at the size it was exported with.",
    ),
    GateSpec(
        name="graph",
        check=gates.graph,
        guards="Other opsets, foreign operators and local paths stop the file from loading elsewhere.",
    ),
    GateSpec(
        name="labels",
        check=gates.labels,
        guards="Class names in another order make every answer wrong, and no tensor shows it.",
    ),
    GateSpec(
        name="agreement",
        check=gates.agreement,
        guards="The answers a user sees: the same ones on the evaluation data, wherever the margin allows one answer.",
    ),
    GateSpec(
        name="truth",
        check=truth,
        guards="What follows the raw head is the author's, and PyTorch has its mistakes too; the data have not.",
    ),
    GateSpec(
        name="mutation score",
        check=gates.mutation_score,
        guards="A check that would also pass a mutant of this bundle proves nothing.",
    ),
)
SUBJECT = "subject"
SUBJECT_GUARDS = "The numbers below were measured on these very bytes."
_NOT_FOR_FILES = frozenset({"lineage", "labels", "agreement", "truth"})
_SHA256 = re.compile(r"[0-9a-f]{64}")


def proved_words(gates: tuple[Gate, ...]) -> str:
    """A verdict that publishes, in words: the gates that warn are named."""
    warned = [gate.name for gate in gates if gate.status == Status.WARN]
    return "proved" + (f", with a warning from {', '.join(warned)}" if warned else "")


def refused_words(status: Status, gates: tuple[Gate, ...]) -> str:
    """Why a variant is refused: the gates of this status; where the first one fails, nothing else was measured."""
    reasons = [f"{gate.name}: {gate.detail}" for gate in gates if gate.status == status]
    if gates[0].status == Status.FAIL:
        reasons = [gates[0].detail]
    return f"refused ({status}): {'; '.join(reasons)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The gates and what follows from them."""

    status: Status
    gates: tuple[Gate, ...]
    k: float = K
    advice: tuple[str, ...] = ()

    @property
    def publishes(self) -> bool:
        """PASS and WARN do."""
        return self.status in (Status.PASS, Status.WARN)

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if self.publishes:
            return proved_words(self.gates)
        reasons = [f"{gate.name}: {gate.detail}" for gate in self.gates if gate.status == self.status]
        advice = f".  What to look at: {'; '.join(self.advice)}" if self.advice else ""
        return f"not proved ({self.status}): {'; '.join(reasons)}{advice}"


def judge(evidence: Evidence, *, published: Mapping[str, str]) -> Verdict:
    """The verdict on the files about to be published, given as name -> sha256 of their bytes."""
    checked = [_gate(SUBJECT, lambda measured: _subject(measured, published), evidence)]
    checked += [_gate(spec.name, spec.check, evidence) for spec in GATES if _applies(spec, evidence)]
    status = worst(*(gate.status for gate in checked))
    return Verdict(status=status, gates=tuple(checked), advice=evidence.advice)


def killing_gates(evidence: Evidence) -> tuple[str, ...]:
    """Names of the gates about answers that fail outright: what kills a mutant."""
    answering = [spec for spec in GATES if spec.name in KILLING_GATES]
    return tuple(spec.name for spec in answering if _gate(spec.name, spec.check, evidence).status == Status.FAIL)


def _applies(spec: GateSpec, evidence: Evidence) -> bool:
    if evidence.subject.scope == "bundle":
        return True
    if spec.name in ("parity", "pipeline"):
        return ("model" if spec.name == "parity" else "pipeline") in roles(evidence)
    if spec.name == "lineage" and evidence.lineage is not None:
        return True  # the numbers in the file could be told
    if spec.name == "labels" and evidence.labels is not None:
        return True  # the file carries class names
    return spec.name not in _NOT_FOR_FILES


def _gate(name: str, check: Callable[[Evidence], Finding], evidence: Evidence) -> Gate:
    try:
        status, detail = check(evidence)
    except Exception as error:  # evidence that a gate cannot even read must not pass
        status, detail = Status.FAIL, f"the evidence cannot be read: {type(error).__name__}: {error}"
    return Gate(name=name, status=status, detail=detail, seconds=round(evidence.seconds.get(name, 0.0), 3))


def _subject(evidence: Evidence, published: Mapping[str, str]) -> Finding:
    """The evidence is about these very bytes."""
    graphs = {graph.name: graph.sha256 for graph in evidence.graphs}
    files = {file.name: file.sha256 for file in evidence.subject.files}
    if evidence.schema != measured.SCHEMA:
        return Status.FAIL, f"evidence of schema {evidence.schema}, this judge reads {measured.SCHEMA}"
    if not published or not graphs:
        return Status.INCONCLUSIVE, "nothing was measured"
    if len(graphs) != len(evidence.graphs) or set(graphs) != {name for name in published if name.endswith(".onnx")}:
        return Status.FAIL, f"measured {', '.join(sorted(graphs))}, to be published {', '.join(sorted(published))}"
    if evidence.subject.scope != ("file" if len(graphs) == 1 else "bundle"):
        return Status.FAIL, f"measured as a {evidence.subject.scope}, and {len(graphs)} graphs are to be published"
    for name, digest in published.items():
        seen = [digest, files.get(name, ""), graphs.get(name, digest)]
        if not _SHA256.fullmatch(digest) or len(set(seen)) != 1:
            return Status.FAIL, f"{name}: the bytes measured are not the bytes to be published"
    return Status.PASS, f"{', '.join(sorted(graphs))} of {evidence.subject.model}"
