"""The part of the page that shows other runtimes: those that the bundle is for, and those that were refused."""

from __future__ import annotations

from zoo.bundle.judge.runtime_rule import RUNTIME_GUARDS
from zoo.bundle.judge.variant_rule import VARIANT_GATES
from zoo.bundle.judge.verdict import GATES, SUBJECT, SUBJECT_GUARDS
from zoo.bundle.report.html import Child, Html, element, joined, table
from zoo.bundle.report.record import RuntimeReport
from zoo.bundle.report.sections import status_mark


def runtimes(reports: tuple[RuntimeReport, ...]) -> list[Html]:
    """Each with its verdict, its own files and its gates."""
    return [part for report in reports for part in _runtime(report)]


def _runtime(report: RuntimeReport) -> list[Html]:
    evidence = report.evidence
    where = "the bundle is for it" if report.published else "left out"
    parts = [
        element("h3", f"{evidence.title}, {where}"),
        element("p", status_mark(report.verdict.value), " ", report.sentence),
    ]
    if evidence.files:
        files = [(file.name, f"{file.bytes:,}", file.sha256) for file in evidence.files]
        parts.append(table(("its own file", "bytes", "sha256"), files))
    return [*parts, _gates(report)]


def _gates(report: RuntimeReport) -> Html:
    guards = {**RUNTIME_GUARDS, SUBJECT: SUBJECT_GUARDS}
    rules = GATES if report.evidence.precision == "float32" else VARIANT_GATES
    guards |= {gate.name: gate.guards for gate in rules}
    rows: list[tuple[Child, ...]] = [
        (
            status_mark(gate.status.value),
            element("strong", gate.name),
            joined((gate.detail, element("small", guards.get(gate.name, "")))),
        )
        for gate in report.gates
    ]
    return table(("", "gate", "what was found, and what it is there for"), rows, kind="gates")
