"""A variant in single precision as files, and what manifest and report say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from zoo.bundle.judge.evidence import Environment
from zoo.bundle.judge.form_rule import FP32, FormEvidence, FormVerdict
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.report.record import FormReport, form_report
from zoo.bundle.runtime.manifest import VariantRecord
from zoo_export.bundle.variant import VariantGolden


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One such variant that was asked for: to be published or refused, with its evidence either way."""

    evidence: FormEvidence
    verdict: FormVerdict
    files: Mapping[str, bytes]
    """Its pipeline.onnx by name inside the bundle; empty where none could be made."""
    golden: tuple[VariantGolden, ...] = ()
    opset: int = 0

    def published(self, *, keep_anyway: bool) -> bool:
        """Whether it goes into the bundle."""
        return self.verdict.publishes or (keep_anyway and bool(self.files))

    def all_files(self) -> Iterator[tuple[str, bytes]]:
        """The graph and the golden cases."""
        yield from self.files.items()
        yield from ((case.record.file, case.data) for case in self.golden)

    def report(self, *, keep_anyway: bool) -> FormReport:
        """What the report says of it."""
        published = self.published(keep_anyway=keep_anyway)
        golden = tuple(case.evidence() for case in self.golden) if published else ()
        return form_report(replace(self.evidence, golden=golden), self.verdict, published=published)

    def record(self, environment: Environment) -> VariantRecord:
        """What the manifest says of it."""
        says: Literal["PASS", "WARN"] = "PASS" if self.verdict.status == Status.PASS else "WARN"
        file = self.evidence.file
        assert file is not None, "what could not be made is not published"
        return VariantRecord(
            name=self.evidence.name,
            bits=FP32,
            method=self.evidence.method,
            verdict=says if self.verdict.publishes else "unproved",
            sentence=self.verdict.sentence,
            claims=(),
            opset=self.opset,
            onnxruntime=environment.onnxruntime,
            machine=environment.cpu,
            bytes=file.bytes,
            milliseconds=None,
            baseline_milliseconds=None,
            metrics={},
            golden=tuple(case.record for case in self.golden),
            signature=self.evidence.signature,
        )
