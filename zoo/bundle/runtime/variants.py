"""The variants of a bundle: which files are theirs, and whether files, record and this device agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from zoo.api.errors import SandboxError
from zoo.bundle.judge.cases import Finding
from zoo.bundle.judge.form_rule import FP32, FormEvidence, FormVerdict, judge_form
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.judge.variant_evidence import ToleratedOutput, VariantEvidence
from zoo.bundle.judge.variant_rule import VariantVerdict, judge_variant
from zoo.bundle.runtime.consistency import against_graph
from zoo.bundle.runtime.golden_replay import RunGraph, replay
from zoo.bundle.runtime.manifest import SATURATION, GoldenOutput, Manifest, VariantRecord
from zoo.bundle.sandbox.refusals import RuntimeRefused
from zoo.bundle.sandbox.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from zoo.bundle.report.record import FormReport, VariantReport
    from zoo.bundle.runtime.bundle import Bundle


def variant_files(manifest: Manifest) -> Iterator[str]:
    """The names of all files that belong to a variant of the manifest."""
    for record in manifest.variants:
        yield from (record.folder + name for name in (*record.graphs, SATURATION))
        yield from (case.file for case in record.golden)


def measured_facts(evidence: VariantEvidence) -> Mapping[str, object]:
    """What a record in the manifest says after its evidence, by field."""
    latency, metric = evidence.latency, evidence.metric
    return {
        "name": evidence.name,
        "bits": evidence.bits,
        "method": evidence.method,
        "bytes": evidence.bytes,
        "milliseconds": None if latency is None else latency.milliseconds,
        "baseline_milliseconds": None if latency is None else latency.baseline_milliseconds,
        "metrics": {} if metric is None else {metric.name: metric.value},
    }


def form_facts(evidence: FormEvidence) -> Mapping[str, object]:
    """The same of a variant in single precision."""
    return {
        "name": evidence.name,
        "bits": FP32,
        "method": evidence.method,
        "bytes": 0 if evidence.file is None else evidence.file.bytes,
        "signature": evidence.signature,
    }


def check_variant(
    bundle: Bundle, record: VariantRecord, session: Callable[[str], Session], run: Callable[[str], RunGraph]
) -> Finding:
    """The record judged anew, the graphs against the manifest, and the golden cases on this device.

    `session` and `run` give a graph of the bundle by its name, loaded and as a function.
    """
    hashes, reports = bundle.manifest.hashes(), bundle.report()
    if record.signature is not None:
        report: VariantReport | FormReport | None = _published(reports.forms, record)
    else:
        report = _published(reports.variants, record)
    if report is None:
        return Status.FAIL, "the report knows no such variant"
    if isinstance(report.evidence, FormEvidence):
        again: VariantVerdict | FormVerdict = judge_form(report.evidence, published=hashes)
        facts = form_facts(report.evidence)
    else:
        again = judge_variant(report.evidence, published=hashes)
        facts = measured_facts(report.evidence)
    wrong = list(_against_record(record, report, again, facts))
    wrong += [f"{c.file} is not the recorded one" for c in report.evidence.golden if hashes.get(c.file) != c.sha256]
    if wrong:
        return Status.FAIL, "; ".join(wrong[:4])
    if record.verdict == "unproved":
        return Status.FAIL, f"kept although it was {again.sentence}"
    try:
        wrong += _differences(bundle, record, session, run)
    except (RuntimeRefused, SandboxError) as error:
        return Status.FAIL, f"{error.message} (it was measured with onnxruntime {record.onnxruntime})"
    if any(line.startswith("saturation: ") for line in wrong):
        wrong = ["products of bytes saturate on this device (no VNNI), and the variant may answer wrongly here"]
    if wrong:
        return Status.FAIL, "this device or this bundle differs: " + "; ".join(wrong[:6])
    return again.status, f"{again.sentence}; this device reproduces all {len(record.golden)} golden cases"


def _published(
    reports: Iterable[VariantReport] | Iterable[FormReport], record: VariantRecord
) -> VariantReport | FormReport | None:
    return next((report for report in reports if report.evidence.name == record.name and report.published), None)


def _differences(
    bundle: Bundle, record: VariantRecord, session: Callable[[str], Session], run: Callable[[str], RunGraph]
) -> list[str]:
    """Where its graphs are not those of the manifest, or this device answers otherwise."""
    for name in record.graphs:
        graph = record.folder + name
        found = against_graph(bundle.file, graph, session(graph), opset=record.opset, signature=record.signature)
        wrong = list(found)
        if wrong:
            return wrong
    replayed = replay(bundle.path, record.golden, run, read=bundle.read)
    return [line for lines in replayed.values() for line in lines]


def _against_record(
    record: VariantRecord,
    report: VariantReport | FormReport,
    again: VariantVerdict | FormVerdict,
    facts: Mapping[str, object],
) -> Iterator[str]:
    """Where manifest and report say something else than the evidence."""
    if (report.verdict, report.sentence, report.gates) != (again.status, again.sentence, again.gates):
        yield f"the report says {report.sentence!r}, its evidence {again.sentence!r}"
    expected = again.status.value if again.publishes else "unproved"
    claims = again.claims if isinstance(again, VariantVerdict) else ()
    if (record.verdict, record.sentence, record.claims) != (expected, again.sentence, claims):
        yield f"the manifest says {record.verdict}, {record.sentence!r}; the evidence {expected}, {again.sentence!r}"
    for field, value in facts.items():
        if getattr(record, field) != value:
            yield f"{field} is {getattr(record, field)} in the manifest and {value} in the record"
    cases = {(case.name, case.graph, case.file, _limits(case.outputs)) for case in record.golden}
    recorded = {(case.case, case.graph, case.file, _limits(case.outputs)) for case in report.evidence.golden}
    if cases != recorded or any(case.steps != 1 for case in record.golden):
        yield "the golden cases of the manifest are not those of the record"


def _limits(outputs: Iterable[GoldenOutput | ToleratedOutput]) -> tuple[object, ...]:
    return tuple((output.name, output.compare, output.rms, output.max) for output in outputs)
