"""The negative control: what the judge says to spoilt copies of this very bundle, measured as the bundle is.

Copies share inputs and references with the proof; only the runtime's answers are new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import onnx

from zoo.api.task import GENERIC_CONTROLS, Case, Control, Signature
from zoo.bundle.judge.evidence import Evidence, GraphEvidence, MutantResult
from zoo.bundle.judge.rule import judge_output
from zoo.bundle.judge.verdict import killing_gates
from zoo_export.controls.mutants import Spoilt
from zoo_export.measure.outputs import compare_case
from zoo_export.reference.oracle import Answer
from zoo_export.subject.batching import batch_name
from zoo_export.subject.results import Given, Trial

SAME = "the copy is the same graph, byte for byte"


def left_out(control: Control) -> MutantResult:
    """A control that the task says does not apply."""
    return MutantResult(name=control.name, applied=False, detail=control.reason)


def judge_spoilt(
    spoilt: Spoilt,
    proof: Evidence,
    measured: GraphEvidence | None,
    *,
    sham: GraphEvidence | None = None,
    original: onnx.ModelProto | None = None,
) -> MutantResult:
    """What the gates say to a copy, beyond what they say to the `original`.

    `sham` is the original in the same few cases: a gate that fails there as well, because two cases are too few for
    it, has not noticed anything.  A copy that the runtime refuses in every case is no wrong answer, and anybody would
    have noticed; only a frozen batch is sabotage by refusing.
    """
    if spoilt.model is None or measured is None:
        return MutantResult(name=spoilt.name, applied=False, detail=spoilt.detail)
    refused = _refused(spoilt.trial) if spoilt.name != "batch" else ""
    before = set(killing_gates(proof)) | (set() if sham is None else set(killing_gates(_instead(proof, sham))))
    ratios = [cell.ratio for case in measured.cases for cell in map(judge_output, case.outputs)]
    killed_by = () if refused else tuple(n for n in killing_gates(_instead(proof, measured)) if n not in before)
    return MutantResult(
        name=spoilt.name,
        applied=True,
        graph=next(graph.name for graph in proof.graphs if graph.role == spoilt.role),
        detail=spoilt.detail + (f"; it does not run, which proves nothing: {refused}" if refused else ""),
        killed_by=killed_by,
        equivalence=SAME if not killed_by and spoilt.model == original else "",
        ratio=max((ratio for ratio in ratios if ratio is not None and ratio < float("inf")), default=None),
    )


def _refused(trial: Trial | None) -> str:
    """What the runtime said, if it refused every case."""
    given = () if trial is None else trial.given
    return given[0] if given and all(isinstance(one, str) for one in given) and isinstance(given[0], str) else ""


def _instead(proof: Evidence, measured: GraphEvidence) -> Evidence:
    graphs = tuple(measured if graph.role == measured.role else graph for graph in proof.graphs)
    return replace(proof, graphs=graphs)


def compare_few(
    original: GraphEvidence,
    cases: Sequence[Case],
    given: Sequence[Given],
    answers: Sequence[Answer | str],
    signature: Signature,
) -> GraphEvidence:
    """The original's evidence with other answers to some of its cases; for a spoilt preparing."""
    rows = zip(cases, given, answers, strict=True)
    return replace(original, cases=tuple(compare_case(case, one, answer, signature) for case, one, answer in rows))


def planned(declared: Sequence[Control], signature: Signature) -> tuple[Control, ...]:
    """The task's controls, those it does not mention included; without a batch axis none can be frozen."""
    named = {control.name: control for control in declared}
    if batch_name(signature) is None:
        named["batch"] = Control(name="batch", applies=False, reason="the model has no batch axis")
    generic = tuple(named.pop(name, Control(name=name)) for name in GENERIC_CONTROLS)
    return (*generic, *named.values())
