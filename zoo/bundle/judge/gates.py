"""Each gate is one small check of the evidence.  What was not measured is never a pass."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from zoo.api.data import counted
from zoo.api.task import GENERIC_CONTROLS, Agreement
from zoo.bundle.judge.cases import (
    Finding,
    combined,
    compares_nothing,
    gating,
    judge_case,
    obeys,
    per_graph,
    some,
    usual_noises,
    with_role,
)
from zoo.bundle.judge.evidence import (
    BEYOND,
    RANGE,
    Axis,
    Evidence,
    GraphEvidence,
    GraphFacts,
    LiveOutput,
    MutantResult,
    Precision,
)
from zoo.bundle.judge.parity_rule import Status

MIN_CONCLUSIVE_SHARE = 0.75
MIN_GATING_CASES = 3
MIN_SPREAD: Mapping[Precision, float] = {"float32": 1e3, "float16": 30.0, "bfloat16": 8.0}
"""How far outputs must move between inputs, in units of their own noise, by what the model computes with."""
MAX_UNKNOWN_SHARE = 0.05
"""Of such a share of all answers it may be unknown what else would be right."""
MAX_DIFFERING_SHARE = 0.01
OWN_DOMAINS = frozenset({"", "ai.onnx"})
KILLING_GATES = frozenset({"eval mode", "determinism", "liveness", "parity", "pipeline", "axes", "labels", "agreement"})
"""The gates that look at answers: one of them must reject a mutant."""

NOT_MEASURED: Finding = (Status.INCONCLUSIVE, "not measured")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What one check of the evidence came to."""

    name: str
    status: Status
    detail: str
    seconds: float = 0.0


def eval_mode(evidence: Evidence) -> Finding:
    """No module was in training mode and no node draws random numbers."""
    mode = evidence.eval_mode
    if mode is None or mode.modules <= 0:
        return NOT_MEASURED
    if mode.training:
        return (
            Status.FAIL,
            f"{counted(len(mode.training), 'module is', 'modules are')} in training mode: {some(mode.training)}",
        )

    def check(graph: GraphEvidence) -> Finding:
        if graph.facts is None:
            return NOT_MEASURED
        if graph.facts.random:
            return Status.FAIL, f"nodes that are random or behave as in training: {some(graph.facts.random)}"
        return Status.PASS, "nothing random"

    status, detail = per_graph(evidence, check)
    return status, f"{counted(mode.modules, 'module')} in eval mode; {detail}"


def determinism(evidence: Evidence) -> Finding:
    """The same input gives the same bits twice, in PyTorch and in the runtime."""

    def check(graph: GraphEvidence) -> Finding:
        measured = graph.determinism
        if measured is None or measured.repeats < 2:
            return NOT_MEASURED
        wrong = [
            who
            for who, equal in (("PyTorch", measured.torch_equal), ("the runtime", measured.runtime_equal))
            if equal is not True
        ]
        if wrong:
            return Status.FAIL, f"{' and '.join(wrong)} gives another answer to the same input"
        return Status.PASS, f"equal bits {measured.repeats} times"

    return per_graph(evidence, check)


def liveness(evidence: Evidence) -> Finding:
    """Every output responds to its input, far above its own noise."""

    def check(graph: GraphEvidence) -> Finding:
        names = sorted(output.name for output in graph.liveness)
        if not names or names != sorted(graph.outputs):
            return Status.INCONCLUSIVE, f"measured for {', '.join(names) or 'no output'}, not {some(graph.outputs)}"
        return combined(_live(output, MIN_SPREAD[evidence.reference.precision]) for output in graph.liveness)

    return per_graph(evidence, check)


def _live(output: LiveOutput, least: float) -> Finding:
    if output.inputs < 2:
        return Status.INCONCLUSIVE, f"{output.name}: fewer than two inputs"
    if not all(_number(value) for value in (output.spread, output.noise, output.onnx_spread)):
        return Status.FAIL, f"{output.name}: its spread or noise is no number"
    spread, noise, onnx_spread = output.spread or 0.0, output.noise or 0.0, output.onnx_spread or 0.0
    if min(spread, onnx_spread) <= least * noise:
        return Status.FAIL, f"{output.name} is dead: between inputs it moves by {spread:.2g}, its noise is {noise:.2g}"
    return Status.PASS, f"{output.name} moves" + (f" by {spread / noise:.1e} times its noise" if noise else "")


def conditioning(evidence: Evidence) -> Finding:
    """At least three quarters of the gating cases can tell right from wrong.

    Those whose outputs are empty in PyTorch and in the file have no numbers to tell apart, and do not count; nor do
    those of a range, of other values and of the postprocess alone, which are not listed as tested where they are
    inconclusive.
    """

    def check(graph: GraphEvidence) -> Finding:
        usual = [case for case in gating(graph) if case.kind not in BEYOND | {RANGE}]
        counted = [case for case in usual if not compares_nothing(case)]
        empty = len(usual) - len(counted)
        note = f"; in {empty} more the outputs of both are empty" if empty else ""
        if len({case.name for case in counted}) < MIN_GATING_CASES:
            return Status.INCONCLUSIVE, f"{len(counted)} gating cases, {MIN_GATING_CASES} are needed{note}"
        noises = usual_noises(graph, evidence.reference.precision)
        statuses = [judge_case(case, graph, evidence, noises)[0] for case in counted]
        conclusive = sum(status != Status.INCONCLUSIVE for status in statuses)
        enough = conclusive >= MIN_CONCLUSIVE_SHARE * len(counted)
        words = f"{conclusive} of {len(counted)} gating cases conclusive{note}"
        return Status.PASS if enough else Status.INCONCLUSIVE, words

    return per_graph(evidence, check)


def parity(evidence: Evidence) -> Finding:
    """model.onnx against fp64, under the rule."""
    return combined(obeys(graph, evidence) for graph in with_role(evidence, "model"))


def pipeline(evidence: Evidence) -> Finding:
    """pipeline.onnx from raw input to answer, against training-time preprocessing, under the rule."""
    findings: list[Finding] = []
    for graph in with_role(evidence, "pipeline"):
        findings += [obeys(graph, evidence), _preprocesses(graph), *_skew(evidence)]
        if any(output.compare == "agreement" for case in graph.cases for output in case.outputs):
            findings.append(_agrees(graph.answers))
    return combined(findings)


def _preprocesses(graph: GraphEvidence) -> Finding:
    findings: list[Finding] = []
    for case in gating(graph):
        for prepared in case.prepared:
            allowed = MAX_DIFFERING_SHARE if prepared.against == "training" else 1.0
            holds = (
                prepared.elements > 0 and prepared.far == 0 and 0 <= prepared.differing <= allowed * prepared.elements
            )
            words = f"{prepared.differing} of {prepared.elements} values one grey level off, {prepared.far} further"
            if not holds:
                findings.append((Status.FAIL, f"{case.name}, prepared as {prepared.against} does: {words}"))
    return combined(findings) if findings else (Status.PASS, "prepared as in training")


def _skew(evidence: Evidence) -> list[Finding]:
    """Items that went through the dataset as training has them: at most one level off, and the same answers."""
    if evidence.skew is None:
        return [(Status.INCONCLUSIVE, "what the dataset feeds to the model was not measured")]
    if not evidence.skew:
        return []
    wrong: list[Finding] = []
    for item in evidence.skew:
        words = f"{item.differing} of {item.elements} values one grey level off, {item.far} further"
        words += "" if item.same_answer else ", and the answer is another"
        if item.elements <= 0 or item.far or item.differing < 0 or not item.same_answer:
            wrong.append((Status.FAIL, f"{item.name} as {item.against} gives it to the model in training: {words}"))
    return wrong or [
        (Status.PASS, f"{counted(len(evidence.skew), 'item')} fed as {evidence.skew[0].against} feeds them")
    ]


def lineage(evidence: Evidence) -> Finding:
    """Every tensor of the exported module's state is in the graph, bit for bit, and nothing else is."""
    state = evidence.lineage
    if state is None:
        return NOT_MEASURED
    for one, more, names in (
        ("differs", "differ", state.different),
        ("is missing", "are missing", state.missing),
        ("is unexplained", "are unexplained", state.extra),
    ):
        if names:
            return Status.FAIL, f"{counted(len(names), f'tensor {one}', f'tensors {more}')}: {some(names)}"
    if state.equal <= 0 or state.equal + len(state.unused) != state.total:
        return Status.FAIL, f"{state.equal} equal and {len(state.unused)} unused do not make {state.total}"
    notes = [f"{state.equal} of {state.total} tensors bit for bit"]
    notes += [f"{len(state.unused)} unused in eval mode: {some(state.unused)}"] if state.unused else []
    notes += [f"{len(state.tied)} tied"] if state.tied else []
    return Status.PASS, "; ".join(notes)


def axes(evidence: Evidence) -> Finding:
    """Every axis that is declared dynamic was run and compared at other sizes."""

    def check(graph: GraphEvidence) -> Finding:
        measured = graph.axes
        if measured is None:
            return NOT_MEASURED
        if measured.undeclared:
            return Status.FAIL, some(measured.undeclared)
        if measured.arithmetic:
            return Status.FAIL, f"output sizes are computed where none was declared: {some(measured.arithmetic)}"
        if not measured.tested:
            reason = (
                f"no dynamic axis: {measured.static}" if measured.static else "no dynamic axis, and no reason given"
            )
            return (Status.PASS if measured.static else Status.FAIL), reason
        return combined(_moves(axis) for axis in measured.tested)

    return per_graph(evidence, check)


def _moves(axis: Axis) -> Finding:
    where = f"{axis.input}[{axis.index}] ({axis.name})"
    if axis.failures:
        return Status.FAIL, f"{where}: {some(axis.failures)}"
    others = sorted(set(axis.tested) - {axis.example})
    if len(others) < 2:
        return Status.INCONCLUSIVE, f"{where} was tried at {others or 'no other size'}; two others are needed"
    largest = max(axis.tested)
    if axis.maximum is not None and largest < axis.maximum:
        return Status.WARN, f"{where} is proved up to {largest:,} only, the model declares {axis.maximum:,}"
    return Status.PASS, f"{where} at {', '.join(map(str, sorted(set(axis.tested))))}"


def graph(evidence: Evidence) -> Finding:
    """The opset asked for, known ops of the default domain, one file, no local paths."""

    def check(graph: GraphEvidence) -> Finding:
        facts = graph.facts
        if facts is None or sum(facts.ops.values()) <= 0:
            return NOT_MEASURED
        wrong = _wrong(facts)
        if wrong:
            # paths in a file made elsewhere are its maker's secret, not a wrong answer
            only_paths = evidence.subject.scope == "file" and not _wrong(replace(facts, paths=()))
            return Status.WARN if only_paths else Status.FAIL, "; ".join(wrong)
        return (
            Status.PASS,
            f"opset {facts.opset}, {counted(sum(facts.ops.values()), 'node')} of {counted(len(facts.ops), 'kind')}",
        )

    return per_graph(evidence, check)


def _wrong(facts: GraphFacts) -> list[str]:
    foreign = sorted(set(facts.domains) - OWN_DOMAINS)
    wrong = [f"opset {facts.opset} where {facts.opset_asked} was asked for"] if facts.opset != facts.opset_asked else []
    for what, names in (
        ("foreign domains", foreign),
        ("unknown ops", facts.forbidden),
        ("local paths", facts.paths),
        ("tensors outside the file", facts.external),
    ):
        wrong += [f"{what}: {some(names)}"] if names else []
    return wrong


def labels(evidence: Evidence) -> Finding:
    """Every file that carries class names carries the checkpoint's, in the same order."""
    names = evidence.labels
    if names is None or not names.files or not names.expected_sha256:
        return NOT_MEASURED
    wrong = [file for file, digest in names.files.items() if digest != names.expected_sha256]
    if wrong:
        return Status.FAIL, f"other class names than the checkpoint's in {some(wrong)}"
    if not 0 <= names.known_right <= names.known or names.known_right < names.known:
        return Status.FAIL, f"{names.known_right} of {names.known} items of a known class keep their class name"
    if names.classes == 0:
        return Status.PASS, "this task has no classes"
    known = (
        f"{counted(names.known, 'item of a known class keeps', 'items of a known class keep')} it"
        if names.known
        else "no item of a known class was at hand"
    )
    return Status.PASS, f"{counted(names.classes, 'name')} in {counted(len(names.files), 'file')}; {known}"


def agreement(evidence: Evidence) -> Finding:
    """The task's own comparison over the evaluation items: every answer outside its margin agrees."""
    status, detail = _agrees(evidence.agreement)
    return status, f"{detail} ({evidence.agreement_data})" if evidence.agreement_data else detail


def _agrees(compared: Agreement | None) -> Finding:
    if compared is None or compared.items <= 0:
        return NOT_MEASURED
    counts = (compared.items, compared.agreeing, compared.undecided, compared.unknown)
    whole = all(isinstance(count, int) and not isinstance(count, bool) and count >= 0 for count in counts)
    if not whole or compared.unknown > compared.undecided or compared.agreeing + compared.undecided > compared.items:
        return (
            Status.FAIL,
            f"{compared.agreeing} agreeing and {compared.undecided} undecided of {compared.items} do not add up",
        )
    if not compared.holds:
        rest = compared.items - compared.agreeing - compared.undecided
        return Status.FAIL, f"{rest} of {compared.items} answers disagree: {some(compared.disagreements)}"
    if compared.unknown > max(1, MAX_UNKNOWN_SHARE * compared.items):
        return Status.INCONCLUSIVE, f"what is right is unknown of {compared.unknown} of {compared.items} answers"
    words = f"{compared.agreeing} of {compared.items} answers agree, {compared.undecided} lie inside their margin"
    if 2 * compared.agreeing < compared.items:
        return Status.INCONCLUSIVE, f"{words}: too few can be told apart"
    return Status.PASS, words


def mutation_score(evidence: Evidence) -> Finding:
    """The negative control: mutants of this very bundle were rejected."""
    if not evidence.mutants:
        return NOT_MEASURED
    missing = sorted(set(GENERIC_CONTROLS) - {mutant.name for mutant in evidence.mutants})
    if missing:
        return Status.INCONCLUSIVE, f"mutants that were neither tried nor excluded: {some(missing)}"
    unexplained = [mutant.name for mutant in evidence.mutants if not mutant.applied and not mutant.detail]
    if unexplained:
        return Status.INCONCLUSIVE, f"mutants left out without a reason: {some(unexplained)}"
    applied = [mutant for mutant in evidence.mutants if mutant.applied]
    killed = [mutant for mutant in applied if is_killed(mutant)]
    survivors = [mutant for mutant in applied if not is_killed(mutant) and not mutant.equivalence]
    if survivors or not killed:
        return Status.INCONCLUSIVE, f"mutants survived: {some([c.name for c in survivors]) or 'all'}"
    equivalent = len(applied) - len(killed)
    notes = f", {equivalent} compute the same function" if equivalent else ""
    return Status.PASS, f"{len(killed)} of {len(applied)} mutants rejected{notes}"


def is_killed(mutant: MutantResult) -> bool:
    """Whether a gate that looks at answers failed on the copy; that its bytes are other bytes does not count."""
    return bool(set(mutant.killed_by) & KILLING_GATES)


def _number(value: float | None) -> bool:
    return value is not None and math.isfinite(value) and value >= 0
