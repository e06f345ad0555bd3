"""What `zoo export --for` prints of a runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo.api.untrusted import one_line
from zoo.cli.terminal.output import Output
from zoo.runs.serialization import to_json

if TYPE_CHECKING:
    from zoo.bundle.report.record import RuntimeReport


def show_runtime(out: Output, report: RuntimeReport) -> None:
    """One runtime: its verdict, its own files, its gates."""
    proved = report.verdict.value in ("PASS", "WARN")
    kept = "kept although it was " if report.published and not proved else ""
    out.line(one_line(f"runtime      {report.evidence.name}: {kept}{report.sentence}"))
    for file in report.evidence.files if report.published else ():
        out.line(f"             {file.name}, {file.bytes:,} bytes")
    out.table(("gate", "status", "detail"), [(gate.name, gate.status.value, gate.detail) for gate in report.gates])


def runtime_document(report: RuntimeReport) -> dict[str, Any]:
    """The same for machines."""
    evidence = report.evidence
    return {
        "name": evidence.name,
        "provider": evidence.provider,
        "precision": evidence.precision,
        "verdict": report.verdict.value,
        "sentence": report.sentence,
        "published": report.published,
        "files": [to_json(file) for file in evidence.files],
        "gates": [to_json(gate) for gate in report.gates],
    }
