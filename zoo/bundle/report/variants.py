"""The part of the page that shows the variants: those in the bundle, and those that were refused."""

from __future__ import annotations

from collections.abc import Mapping

from zoo.bundle.judge.form_rule import FORM_GATES
from zoo.bundle.judge.gates import Gate
from zoo.bundle.judge.variant_evidence import Candidate, VariantEvidence
from zoo.bundle.judge.variant_rule import KILLING, VARIANT_GATES
from zoo.bundle.judge.verdict import GATES, SUBJECT, SUBJECT_GUARDS
from zoo.bundle.report.html import Child, Html, element, joined, table
from zoo.bundle.report.record import FormReport, VariantReport
from zoo.bundle.report.sections import status_mark

MAX_NODES = 12
"""Of those that are converted; all that stay in float are shown."""


def variants(reports: tuple[VariantReport, ...]) -> list[Html]:
    """Each with its gates, its candidates, its sensitive nodes and its mutants."""
    return [part for report in reports for part in _variant(report)]


def _variant(report: VariantReport) -> list[Html]:
    evidence = report.evidence
    where = "in the bundle" if report.published else "left out"
    sentence = element("p", status_mark(report.verdict.value), " ", report.sentence)
    parts = [element("h3", f"{evidence.name}, {where}"), sentence]
    words = "; ".join(word for word in (evidence.method, evidence.calibration) if word)
    if words:
        parts.append(element("p", words, kind="dim"))
    if evidence.files:
        parts += [_gates(report), *_nodes(evidence), *_mutants(evidence)]
    if evidence.candidates:
        header = ("candidate", "metric", "drop at most", "bytes", "latency to fp32", "")
        parts.append(table(header, [_candidate(candidate) for candidate in evidence.candidates]))
    return parts


def _gates(report: VariantReport) -> Html:
    return _gate_table(report.gates, {gate.name: gate.guards for gate in VARIANT_GATES})


def forms(reports: tuple[FormReport, ...]) -> list[Html]:
    """Those in single precision, each with its gates and the mutants that survived."""
    return [part for report in reports for part in _form(report)]


def _form(report: FormReport) -> list[Html]:
    where = "in the bundle" if report.published else "left out"
    sentence = element("p", status_mark(report.verdict.value), " ", report.sentence)
    parts = [element("h3", f"{report.evidence.name}, {where}"), sentence]
    if report.evidence.file is None:
        return parts
    guards = {gate.name: gate.guards for gate in FORM_GATES} | {gate.name: gate.guards for gate in GATES}
    return [*parts, _gate_table(report.gates, {**guards, SUBJECT: SUBJECT_GUARDS})]


def _gate_table(gates: tuple[Gate, ...], guards: Mapping[str, str]) -> Html:
    rows: list[tuple[Child, ...]] = [
        (
            status_mark(gate.status.value),
            element("strong", gate.name),
            joined((gate.detail, element("small", guards.get(gate.name, "")))),
        )
        for gate in gates
    ]
    return table(("", "gate", "what was found, and what it is there for"), rows, kind="gates")


def _candidate(candidate: Candidate) -> tuple[Child, ...]:
    numbers = (candidate.metric, candidate.upper_drop)
    return (
        candidate.name,
        *("–" if number is None else f"{number:.4g}" for number in numbers),
        "–" if candidate.bytes is None else f"{candidate.bytes:,}",
        "–" if candidate.ratio is None else f"{candidate.ratio:.2f}",
        candidate.refused,
    )


def _nodes(evidence: VariantEvidence) -> list[Html]:
    """The most sensitive nodes, where a search was needed."""
    rows = [
        (
            node.node,
            node.module,
            node.op,
            "–" if node.sqnr_db is None else f"{node.sqnr_db:.1f} dB",
            "float" if node.in_float else "",
        )
        for place, node in enumerate(evidence.sensitivity)
        if node.in_float or place < MAX_NODES
    ]
    header = ("node that costs most", "module", "operator", "outputs where it alone is converted", "kept in")
    return [table(header, rows)] if rows else []


def _mutants(evidence: VariantEvidence) -> list[Html]:
    survivors = [
        (mutant.name, mutant.detail)
        for mutant in evidence.mutants
        if mutant.applied and not set(mutant.killed_by) & set(KILLING)
    ]
    return [table(("mutant that survived", "what was changed"), survivors)] if survivors else []
