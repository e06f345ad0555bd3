"""A variant as files, and what manifest and report say of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from zoo.bundle.judge.evidence import Environment
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.judge.variant_evidence import ToleratedOutput, VariantEvidence, VariantGoldenEvidence
from zoo.bundle.judge.variant_rule import VariantVerdict
from zoo.bundle.report.record import VariantReport, variant_report
from zoo.bundle.runtime.golden_replay import golden_bytes
from zoo.bundle.runtime.manifest import SATURATION, GoldenCase, GoldenOutput, VariantRecord
from zoo.models.outputs import Array
from zoo_export.bundle.golden_files import FOLDER


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantGolden:
    """One golden case of a variant, with the bytes of its file."""

    record: GoldenCase
    data: bytes

    @classmethod
    def of_probe(cls, folder: str, feeds: Mapping[str, Array], expected: Array) -> VariantGolden:
        """The product that saturates where a processor cannot add products of bytes exactly."""
        record = GoldenCase(
            name="saturation",
            file=f"{folder}{FOLDER}/saturation.npz",
            graph=folder + SATURATION,
            origin="synthetic",
            outputs=(GoldenOutput(name="sum", compare="equal"),),
        )
        return cls(record=record, data=golden_bytes(feeds, {"sum": expected}))

    def evidence(self) -> VariantGoldenEvidence:
        """As the record has it."""
        outputs = (ToleratedOutput(name=o.name, compare=o.compare, rms=o.rms, max=o.max) for o in self.record.outputs)
        return VariantGoldenEvidence(
            case=self.record.name,
            graph=self.record.graph,
            file=self.record.file,
            sha256=hashlib.sha256(self.data).hexdigest(),
            outputs=tuple(outputs),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One variant that was asked for: to be published or refused, with its evidence either way."""

    name: str
    evidence: VariantEvidence
    verdict: VariantVerdict
    files: Mapping[str, bytes]
    """Graphs by name inside the bundle; empty where no candidate could be made."""
    golden: tuple[VariantGolden, ...] = ()
    opset: int = 0

    @property
    def can_be_kept(self) -> bool:
        """Whether there are files at all, that load and run."""
        return bool(self.files) and bool(self.evidence.outputs)

    def published(self, *, keep_anyway: bool) -> bool:
        """Whether it goes into the bundle."""
        return self.verdict.publishes or (keep_anyway and self.can_be_kept)

    def all_files(self) -> Iterator[tuple[str, bytes]]:
        """Graphs and golden cases."""
        yield from self.files.items()
        yield from ((case.record.file, case.data) for case in self.golden)

    def report(self, *, keep_anyway: bool) -> VariantReport:
        """What the report says of it."""
        published = self.published(keep_anyway=keep_anyway)
        golden = tuple(case.evidence() for case in self.golden) if published else ()
        return variant_report(replace(self.evidence, golden=golden), self.verdict, published=published)

    def record(self, environment: Environment) -> VariantRecord:
        """What the manifest says of it."""
        evidence, verdict = self.evidence, self.verdict
        latency, metric = evidence.latency, evidence.metric
        says: Literal["PASS", "WARN", "unproved"] = "PASS" if verdict.status == Status.PASS else "WARN"
        return VariantRecord(
            name=self.name,
            bits=evidence.bits,
            method=evidence.method,
            verdict=says if verdict.publishes else "unproved",
            sentence=verdict.sentence,
            claims=verdict.claims,
            opset=self.opset,
            onnxruntime=environment.onnxruntime,
            machine=environment.cpu,
            bytes=evidence.bytes,
            milliseconds=None if latency is None else latency.milliseconds,
            baseline_milliseconds=None if latency is None else latency.baseline_milliseconds,
            metrics={} if metric is None else {metric.name: metric.value},
            golden=tuple(case.record for case in self.golden),
        )
