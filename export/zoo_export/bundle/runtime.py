"""Another runtime as files of a bundle, and what manifest and report say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.judge.runtime_rule import RuntimeEvidence, RuntimeVerdict
from zoo.bundle.report.record import RuntimeReport, runtime_report
from zoo.bundle.runtime.manifest import RuntimeRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRuntime:
    """One runtime that was asked for: to be published or refused, with its evidence either way."""

    evidence: RuntimeEvidence
    verdict: RuntimeVerdict
    files: Mapping[str, Mapping[str, bytes]]
    """Its own files by the graph that they were made of, by name inside the bundle; empty where it reads ONNX."""

    def published(self, *, keep_anyway: bool) -> bool:
        """Whether the bundle records it and holds its files."""
        return self.verdict.publishes or (keep_anyway and not self.evidence.refused)

    def all_files(self) -> dict[str, bytes]:
        """Its own files by name inside the bundle."""
        return {name: data for files in self.files.values() for name, data in files.items()}

    def report(self, *, keep_anyway: bool) -> RuntimeReport:
        """What the report says of it."""
        return runtime_report(self.evidence, self.verdict, published=self.published(keep_anyway=keep_anyway))

    def record(self) -> RuntimeRecord:
        """What the manifest says of it."""
        evidence, verdict = self.evidence, self.verdict
        says: Literal["PASS", "WARN"] = "PASS" if verdict.status == Status.PASS else "WARN"
        return RuntimeRecord(
            name=evidence.name,
            title=evidence.title,
            provider=evidence.provider,
            precision=evidence.precision,
            verdict=says if verdict.publishes else "unproved",
            sentence=verdict.sentence,
            files={graph: tuple(files) for graph, files in self.files.items()},
        )
