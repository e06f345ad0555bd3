"""docs/report-schema.md names every key that is written, with its type, and no other."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

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
