"""From one output of one case to one graph: the rule applied to everything measured."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from zoo.api.data import counted
from zoo.bundle.judge.evidence import (
    BEYOND,
    BOUNDARY,
    VALUES,
    CaseEvidence,
    Evidence,
    GraphEvidence,
    Magnitude,
    Precision,
)
from zoo.bundle.judge.parity_rule import Cell, K, Status, judge_output, usual_noise, worst

ROLLOUT_STEPS = 32
NOTHING = Magnitude(rms=0.0, max=0.0)

Finding = tuple[Status, str]
"""A status with the sentence that says why."""


def roles(evidence: Evidence) -> tuple[str, ...]:
    """The graphs that must have been measured: both of a bundle, the one of a foreign file."""
    if evidence.subject.scope == "bundle":
        return ("model", "pipeline")
    return tuple(graph.role for graph in evidence.graphs[:1])


def with_role(evidence: Evidence, role: str) -> list[GraphEvidence]:
    """The graphs of one role."""
    return [graph for graph in evidence.graphs if graph.role == role]


def per_graph(evidence: Evidence, check: Callable[[GraphEvidence], Finding]) -> Finding:
    """The worst finding over the graphs that must exist; a missing graph was not measured."""
    findings: list[Finding] = []
    for role in roles(evidence):
        graphs = with_role(evidence, role)
        if len(graphs) != 1:
            findings.append((Status.INCONCLUSIVE, f"{len(graphs)} graphs with the role {role} were measured, not one"))
        findings += [(status, f"{graph.name}: {detail}") for graph in graphs for status, detail in [check(graph)]]
    return combined(findings)


def combined(findings: Iterable[Finding]) -> Finding:
    """The worst status, with the sentences of the worst; of passes, all of them."""
    findings = list(findings)
    status = worst(*(status for status, _ in findings))
    details = [detail for at, detail in findings if at == status]
    return status, "; ".join(details) if details else "not measured"


def usual_noises(graph: GraphEvidence, precision: Precision) -> dict[str, Magnitude | None]:
    """PyTorch's noise per output over the graph's gating cases of usual values."""
    outputs = [output for case in gating(graph) if case.kind not in BEYOND for output in case.outputs]
    return {
        name: usual_noise((output for output in outputs if output.name == name), precision=precision)
        for name in graph.outputs
    }


Noises = Mapping[str, Magnitude | None]
"""What `usual_noises` gives for a graph; it looks at all cases, so whoever judges many of them asks once."""


def cells(
    case: CaseEvidence, graph: GraphEvidence, evidence: Evidence, noises: Noises | None = None
) -> dict[str, Cell]:
    """The rule's cell per output of a case."""
    waivers = {waiver.output: waiver for waiver in evidence.waivers}
    precision = evidence.reference.precision
    noise = usual_noises(graph, precision) if noises is None else noises
    return {
        output.name: judge_output(
            output,
            waivers.get(output.name),
            usual=noise.get(output.name),
            beyond=case.kind in BEYOND,
            precision=precision,
        )
        for output in case.outputs
    }


def judge_case(case: CaseEvidence, graph: GraphEvidence, evidence: Evidence, noises: Noises | None = None) -> Finding:
    """The worst over a case's outputs."""
    if case.reference_error:
        return Status.INCONCLUSIVE, f"{case.name}: PyTorch cannot run it: {case.reference_error}"
    if case.error:
        return Status.FAIL, f"{case.name}: {case.error}"
    names = sorted(output.name for output in case.outputs)
    if names != sorted(graph.outputs) or not names:
        return Status.FAIL, f"{case.name}: outputs {', '.join(names) or 'none'} instead of {', '.join(graph.outputs)}"
    judged = cells(case, graph, evidence, noises)
    status = worst(*(cell.status for cell in judged.values()))
    name, cell = next((name, cell) for name, cell in judged.items() if cell.status == status)
    if status == Status.FAIL and not cell.broken and _model_is_unsure(case, graph, evidence):
        return Status.INCONCLUSIVE, f"{case.name}, {name}: PyTorch cannot tell what the model itself gives there"
    return status, f"{case.name}, {name}: {cell.why}"


def _model_is_unsure(case: CaseEvidence, graph: GraphEvidence, evidence: Evidence) -> bool:
    """Whether the model's own outputs cannot be told right from wrong in a case of other values.

    What a pipeline answers follows from them.  Its own noise may be nothing by chance: a softmax of logits in the
    thousands is exactly 0 and 1, whichever logit is the largest.
    """
    if case.kind != VALUES or graph.role != "pipeline":
        return False
    rows = [(model, row) for model in with_role(evidence, "model") for row in gating(model)]
    same = [(model, row) for model, row in rows if row.kind == VALUES and row.name == case.name]
    return any(judge_case(row, model, evidence)[0] == Status.INCONCLUSIVE for model, row in same)


def gating(graph: GraphEvidence) -> list[CaseEvidence]:
    """The cases whose failure is the graph's."""
    return [case for case in graph.cases if case.gates]


def compares_nothing(case: CaseEvidence) -> bool:
    """The outputs that count elements have none, and every other output is zero in PyTorch and in the file."""
    choices = [output for output in case.outputs if output.compare == "choice"]
    others = [output for output in case.outputs if output.compare != "choice"]
    return (
        bool(choices)
        and all((output.elements, output.differing, output.far, output.undecided) == (0, 0, 0, 0) for output in choices)
        and all(
            output.finite and output.reference_finite and output.scale == output.onnx == NOTHING for output in others
        )
    )


def obeys(graph: GraphEvidence, evidence: Evidence) -> Finding:
    """The rule over a graph's gating cases; wrong answers to the others, or where PyTorch is unsure itself, warn."""
    noises = usual_noises(graph, evidence.reference.precision)
    rows = [(case, judge_case(case, graph, evidence, noises)) for case in gating(graph)]
    judged = [finding for _, finding in rows if finding[0] != Status.INCONCLUSIVE]
    unsure = [case for case, (status, _) in rows if status == Status.INCONCLUSIVE]
    undecided = [case for case in unsure if case.kind == VALUES]
    if not judged:
        return Status.INCONCLUSIVE, "no conclusive gating case"
    if graph.stateful and not _rolled_out(graph):
        return Status.INCONCLUSIVE, f"no roll-out of {ROLLOUT_STEPS} steps, or no split-versus-whole sequence"
    wrong = [case for case in graph.cases if not case.gates and _is_wrong(case, graph, evidence)]
    wrong += [case for case in unsure if _far_off(case, graph, evidence) > K]
    if wrong:
        judged.append(
            (Status.WARN, f"wrong far outside what the model was made for: {some(_why(wrong, graph, evidence))}")
        )
    judged += [(Status.WARN, why) for case, (_, why) in rows if case.kind == BOUNDARY and case.reference_error]
    status, _ = combined(judged)
    if status != Status.PASS:
        return status, "; ".join(some_of([why for at, why in judged if at == status]))
    ratios = [
        (cell.ratio or 0.0, case.name, name)
        for case in gating(graph)
        for name, cell in cells(case, graph, evidence, noises).items()
        if cell.status == Status.PASS
    ]
    ratio, case, name = max(ratios, default=(0.0, "", ""))
    words = f"{counted(len(ratios), 'comparison')}, the worst {ratio:.2f} times PyTorch's own noise ({case}, {name})"
    names = some(case.name for case in undecided)
    return status, f"{words}; PyTorch itself cannot tell right from wrong in {names}" if undecided else words


def _is_wrong(case: CaseEvidence, graph: GraphEvidence, evidence: Evidence) -> bool:
    return judge_case(case, graph, evidence)[0] == Status.FAIL


def _far_off(case: CaseEvidence, graph: GraphEvidence, evidence: Evidence) -> float:
    """How many times as far as PyTorch's own noise the file is off."""
    return max((cell.ratio or 0.0 for cell in cells(case, graph, evidence).values()), default=0.0)


def _why(wrong: Iterable[CaseEvidence], graph: GraphEvidence, evidence: Evidence) -> list[str]:
    sentences = []
    for case in wrong:
        status, why = judge_case(case, graph, evidence)
        if status == Status.INCONCLUSIVE and not _model_is_unsure(case, graph, evidence):
            why = f"{case.name}: {_far_off(case, graph, evidence):.3g} times PyTorch's own noise, which is large there"
        sentences.append(why)
    return sentences


def _rolled_out(graph: GraphEvidence) -> bool:
    rolled = any(case.kind == "rollout" and case.steps >= ROLLOUT_STEPS for case in gating(graph))
    return rolled and any(case.kind == "split" for case in gating(graph))


def some_of(sentences: list[str]) -> list[str]:
    """The first few of many sentences, and how many more there are."""
    sentences = _each_once(sentences)
    few = sentences[:4]
    return [*few, f"{len(sentences) - 4} more cases"] if len(sentences) > 4 else few


def some(names: Iterable[str]) -> str:
    """The first few, and how many more."""
    names = _each_once(names)
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _each_once(sentences: Iterable[str]) -> list[str]:
    """Sentences that say the same of several cases ("portrait: it failed") as one, with the number of the others.

    What the runtime refuses holds the sizes of the case, which say nothing new.
    """
    groups: dict[str, list[str]] = {}
    for sentence in sentences:
        _, colon, said = sentence.partition(": ")
        alike = re.sub(r"\d+", "#", said) if "ONNX Runtime says" in said else said
        groups.setdefault(alike if colon else sentence, []).append(sentence)
    return [f"{same[0]} (the same for {len(same) - 1} more)" if len(same) > 1 else same[0] for same in groups.values()]
