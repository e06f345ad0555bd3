"""docs/report-schema.md names every key that is written, with its type, and no other."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.api.task import Agreement
from zoo.bundle.judge import evidence
from zoo.bundle.judge.gates import Gate
from zoo.bundle.report.record import SCHEMA as REPORT_SCHEMA
from zoo.bundle.report.record import Report
from zoo.bundle.runtime import manifest

DOCUMENT = (Path(__file__).parents[3] / "docs" / "report-schema.md").read_text(encoding="utf-8")
RECORDS = [
    *(
        value
        for module in (evidence, manifest)
        for value in vars(module).values()
        if isinstance(value, type) and dataclasses.is_dataclass(value) and value.__module__ == module.__name__
        if value is not manifest.ManifestFile  # which holds what was read, and is never written
    ),
    Report,
    Gate,
    PostprocessStep,
]


@pytest.mark.parametrize("record", [*RECORDS, Agreement], ids=lambda record: record.__name__)
def test_every_key_is_documented(record: type) -> None:
    (section,) = re.findall(rf"^### {record.__name__}\n(.*?)(?=^##|\Z)", DOCUMENT, flags=re.DOTALL | re.MULTILINE)
    rows = dict(re.findall(r"^\| `(\w+)` \| `(.*?)` \|", section, flags=re.MULTILINE))
    written = {field.name: str(field.type) for field in dataclasses.fields(record)}
    assert {name: kind.replace("\\|", "|") for name, kind in rows.items()} == written


def test_every_kind_of_step_is_documented() -> None:
    section = DOCUMENT.partition("### PostprocessKind\n")[2].partition("\n###")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE) == ["kind", *PostprocessKind]


def test_the_schemas_are_those_of_the_page() -> None:
    assert re.findall(r"^## (\w+\.json), schema (\d+)$", DOCUMENT, re.MULTILINE) == [
        ("report.json", str(REPORT_SCHEMA)),
        ("manifest.json", str(manifest.SCHEMA)),
    ]
