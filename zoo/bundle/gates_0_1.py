"""What the gates of zoo 0.1 said of its records: a verdict of today in the words and by the rules of then.

Its judge had no gate on truth, and warned of cases that do not gate only where their answers are broken.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from zoo.bundle.judge import gates
from zoo.bundle.judge.cases import Finding, cells, gating, judge_case, some, with_role
from zoo.bundle.judge.evidence import CaseEvidence, Evidence, GraphEvidence
from zoo.bundle.judge.gates import Gate
from zoo.bundle.judge.parity_rule import Status, worst
from zoo.bundle.judge.verdict import Verdict

_WORDS: Final = (
    (r"^(\d+ of \d+) mutants rejected", r"\1 sabotaged copies rejected"),
    (r"; in (\d+) more the outputs of both are empty", r"; in \1 more PyTorch chooses nothing, and so does the file"),
)
_BROKEN: Final = "cases far outside what the model was made for break it"
_BY_THE_RULE: Final[dict[str, tuple[str, Callable[[Evidence], Finding]]]] = {
    "parity": ("model", gates.parity),
    "pipeline": ("pipeline", gates.pipeline),
}
"""By gate: the role of the graph, and what checks it today."""


def verdict_of_0_1(verdict: Verdict, evidence: Evidence) -> Verdict:
    """What zoo 0.1 concluded from the evidence of which `verdict` is today's."""
    found = tuple(_of_then(gate, evidence) for gate in verdict.gates if gate.name != "truth")
    return replace(verdict, gates=found, status=worst(*(gate.status for gate in found)))


def _of_then(gate: Gate, evidence: Evidence) -> Gate:
    if gate.name in _BY_THE_RULE and gate.status == Status.WARN:
        status, detail = _by_the_rule(evidence, *_BY_THE_RULE[gate.name])
        return replace(gate, status=status, detail=detail)
    detail = gate.detail
    for today, then in _WORDS:
        detail = re.sub(today, then, detail)
    return replace(gate, detail=detail)


def _by_the_rule(evidence: Evidence, role: str, check: Callable[[Evidence], Finding]) -> Finding:
    """The finding where some case warns: then it named every one of them."""
    warned = []
    for graph in with_role(evidence, role):
        judged = [judge_case(case, graph, evidence) for case in gating(graph)]
        broken = [case.name for case in graph.cases if not case.gates and _is_broken(case, graph, evidence)]
        warned += [why for status, why in judged if status == Status.WARN]
        warned += [f"{_BROKEN}: {some(broken)}"] if broken else []
    if warned:
        return Status.WARN, "; ".join(warned)
    graphs = tuple(replace(graph, cases=tuple(gating(graph))) for graph in evidence.graphs)
    return check(replace(evidence, graphs=graphs))


def _is_broken(case: CaseEvidence, graph: GraphEvidence, evidence: Evidence) -> bool:
    if case.reference_error:
        return False
    wrong = sorted(output.name for output in case.outputs) != sorted(graph.outputs)
    return bool(case.error) or wrong or any(cell.broken for cell in cells(case, graph, evidence).values())
