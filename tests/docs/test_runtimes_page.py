"""docs/runtimes.md: its plugin works as it stands there, and its table is what was measured."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import pytest

from benchmarks.runtimes import DOCS, HERE, Cell, table
from zoo.bundle.engines.built_in import BUILT_IN_RUNTIMES
from zoo.registry.catalog import Catalog
from zoo.testing import check_plugin

PAGE = DOCS.read_text(encoding="utf-8")


def test_the_plugin_of_the_page_passes_the_kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, flags=re.DOTALL)
    assert [name for name, _ in blocks] == ["evaluator.py", "evaluator_engine.py"]
    for name, text in blocks:
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    catalog = Catalog.discover([importlib.import_module("evaluator")])
    score = check_plugin(catalog.plugins[0].name, groups=("runtime",), catalog=catalog)
    assert [(result.check, result.status, result.detail) for result in score.results if result.status != "passed"] == []
    assert len(score.results) == 3


def test_the_table_is_what_was_measured() -> None:
    cells = [Cell(**row) for row in json.loads(HERE.with_suffix(".json").read_text())]
    assert table(cells) in PAGE
    assert {cell.runtime for cell in cells} == {spec.name for spec in BUILT_IN_RUNTIMES}


def test_every_runtime_is_on_the_page() -> None:
    for spec in BUILT_IN_RUNTIMES:
        assert f"| `{spec.name}` |" in PAGE
