"""docs/report-schema.md names every key that is written, with its type, and no other."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.api.task import Agreement
from zoo.bundle.judge import evidence, variant_evidence
from zoo.bundle.judge.form_rule import FormEvidence
from zoo.bundle.judge.gates import Gate
from zoo.bundle.judge.runtime_rule import RuntimeEvidence
from zoo.bundle.report.record import SCHEMA as REPORT_SCHEMA
from zoo.bundle.report.record import FormReport, Report, RuntimeReport, VariantReport
from zoo.bundle.runtime import manifest
from zoo.bundle.runtime.speed_record import SpeedRecord

DOCUMENT = (Path(__file__).parents[3] / "docs" / "report-schema.md").read_text(encoding="utf-8")
RECORDS = [
    *(
        value
        for module in (evidence, variant_evidence, manifest)
        for value in vars(module).values()
        if isinstance(value, type) and dataclasses.is_dataclass(value) and value.__module__ == module.__name__
        if value is not manifest.ManifestFile  # which holds what was read, and is never written
    ),
    Report,
    VariantReport,
    RuntimeReport,
    RuntimeEvidence,
    FormReport,
    FormEvidence,
    Gate,
    PostprocessStep,
    SpeedRecord,
]


def test_every_key_is_documented() -> None:
    written = {record.__name__: _fields(record) for record in (*RECORDS, Agreement)}
    assert {name: _documented(name) for name in written} == written


def _fields(record: type) -> dict[str, str]:
    return {field.name: str(field.type) for field in dataclasses.fields(record)}


def _documented(name: str) -> dict[str, str] | None:
    """The keys and types in the section of this name; None where there is not exactly one."""
    sections = re.findall(rf"^### {name}\n(.*?)(?=^##|\Z)", DOCUMENT, flags=re.DOTALL | re.MULTILINE)
    if len(sections) != 1:
        return None
    rows = re.findall(r"^\| `(\w+)` \| `(.*?)` \|", sections[0], flags=re.MULTILINE)
    return {key: kind.replace("\\|", "|") for key, kind in rows}


def test_every_kind_of_step_is_documented() -> None:
    section = DOCUMENT.partition("### PostprocessKind\n")[2].partition("\n###")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE) == ["kind", *PostprocessKind]


def test_the_schemas_are_those_of_the_page() -> None:
    assert re.findall(r"^## (\w+\.json), schema (\d+)$", DOCUMENT, re.MULTILINE) == [
        ("report.json", str(REPORT_SCHEMA)),
        ("manifest.json", str(manifest.SCHEMA)),
    ]
