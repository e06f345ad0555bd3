"""report.json: the verdict, its gates and all the evidence they were drawn from.  Schema: docs/report-schema.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from zoo.api.errors import BadFile
from zoo.bundle import schema_1
from zoo.bundle.judge.evidence import Evidence
from zoo.bundle.judge.form_rule import FormEvidence, FormVerdict
from zoo.bundle.judge.gates import Gate
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.judge.runtime_rule import RuntimeEvidence, RuntimeVerdict
from zoo.bundle.judge.variant_evidence import VariantEvidence
from zoo.bundle.judge.variant_rule import VariantVerdict
from zoo.bundle.judge.verdict import Verdict
from zoo.runs.serialization import from_json, read_document

NAME = "report.json"
SCHEMA = 2
MAX_BYTES = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantReport:
    """What came of one variant that was asked for."""

    verdict: Status
    sentence: str
    """The verdict in words."""
    published: bool
    """It travels with the bundle: it was proved, or kept because somebody asked for that."""
    gates: tuple[Gate, ...]
    evidence: VariantEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeReport:
    """What came of one runtime that was asked for with --for."""

    verdict: Status
    sentence: str
    """The verdict in words."""
    published: bool
    """The bundle holds what it needs: it was proved there, or kept because somebody asked for that."""
    gates: tuple[Gate, ...]
    evidence: RuntimeEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class FormReport:
    """What came of one variant in single precision that was asked for: for one size, or for batches."""

    verdict: Status
    sentence: str
    """The verdict in words."""
    published: bool
    """It travels with the bundle: it was proved, or kept because somebody asked for that."""
    gates: tuple[Gate, ...]
    evidence: FormEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One proof, as it travels with the bundle."""

    created: str
    """UTC, ISO 8601."""
    verdict: Status
    sentence: str
    """The verdict in words."""
    k: float
    """The limit that the rule used."""
    gates: tuple[Gate, ...]
    reproduce: tuple[str, ...]
    """Commands that make this report again, in order."""
    seconds: float
    """Of the whole proof."""
    evidence: Evidence
    variants: tuple[VariantReport, ...] = ()
    runtimes: tuple[RuntimeReport, ...] = ()
    forms: tuple[FormReport, ...] = ()
    schema: int = SCHEMA


def variant_report(evidence: VariantEvidence, verdict: VariantVerdict, *, published: bool) -> VariantReport:
    """The report on one variant."""
    return VariantReport(
        verdict=verdict.status, sentence=verdict.sentence, published=published, gates=verdict.gates, evidence=evidence
    )


def runtime_report(evidence: RuntimeEvidence, verdict: RuntimeVerdict, *, published: bool) -> RuntimeReport:
    """The report on one runtime."""
    return RuntimeReport(
        verdict=verdict.status, sentence=verdict.sentence, published=published, gates=verdict.gates, evidence=evidence
    )


def form_report(evidence: FormEvidence, verdict: FormVerdict, *, published: bool) -> FormReport:
    """The report on one variant in single precision."""
    return FormReport(
        verdict=verdict.status, sentence=verdict.sentence, published=published, gates=verdict.gates, evidence=evidence
    )


def report_of(
    evidence: Evidence,
    verdict: Verdict,
    *,
    reproduce: tuple[str, ...],
    seconds: float,
    variants: tuple[VariantReport, ...] = (),
    runtimes: tuple[RuntimeReport, ...] = (),
    forms: tuple[FormReport, ...] = (),
) -> Report:
    """The report on one proof, dated now."""
    return Report(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        verdict=verdict.status,
        sentence=verdict.sentence,
        k=verdict.k,
        gates=verdict.gates,
        reproduce=reproduce,
        seconds=round(seconds, 3),
        evidence=evidence,
        variants=variants,
        runtimes=runtimes,
        forms=forms,
    )


def read_report(path: Path) -> Report:
    """The report in a file of any schema; BadFile when it is none, or from a newer zoo."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadFile(f"{path} has {path.stat().st_size:,} bytes; no report is that large")
        raw = path.read_bytes()
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}") from error
    return parse_report(raw, where=str(path))


def parse_report(raw: bytes, *, where: str) -> Report:
    """The report in these bytes; BadFile as in `read_report`."""
    if len(raw) > MAX_BYTES:
        raise BadFile(f"{where} has {len(raw):,} bytes; no report is that large")
    document = read_document(raw, schema=SCHEMA, where=where)
    current = schema_1.report(document, where=where) if document["schema"] == 1 else document
    return from_json(Report, current, where=where)
