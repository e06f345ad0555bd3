"""docs/report-schema.md names every key that is written, with its type, and no other."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from zoo.api.task import Agreement
from zoo.bundle.judge import evidence
from zoo.bundle.judge.gates import Gate
from zoo.bundle.report.record import Report
from zoo.bundle.runtime import manifest

DOCUMENT = (Path(__file__).parents[3] / "docs" / "report-schema.md").read_text(encoding="utf-8")
RECORDS = [
    *(
        value
        for module in (evidence, manifest)
        for value in vars(module).values()
        if isinstance(value, type) and dataclasses.is_dataclass(value) and value.__module__ == module.__name__
    ),
    Report,
    Gate,
]


@pytest.mark.parametrize("record", [*RECORDS, Agreement], ids=lambda record: record.__name__)
def test_every_key_is_documented(record: type) -> None:
    (section,) = re.findall(rf"^### {record.__name__}\n(.*?)(?=^##|\Z)", DOCUMENT, flags=re.DOTALL | re.MULTILINE)
    rows = dict(re.findall(r"^\| `(\w+)` \| `(.*?)` \|", section, flags=re.MULTILINE))
    written = {field.name: str(field.type) for field in dataclasses.fields(record)}
    assert {name: kind.replace("\\|", "|") for name, kind in rows.items()} == written
