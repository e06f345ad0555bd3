"""docs/systems.md says what benchmarks/systems.json says, and every cell says how it went."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.systems_page import VERBS, page
from benchmarks.systems_rows import SYSTEMS

ROOT = Path(__file__).parents[2]
ROWS: dict[str, Any] = json.loads((ROOT / "benchmarks" / "systems.json").read_bytes())["rows"]
ROW = {
    "measured": "2026-11-28",
    "task": "image-classification",
    "metrics": {"top1": 0.9876, "top5": 1.0},
    "verdict": "PASS",
    "parity": 2.04,
    "bytes": {"model.onnx": 1_234_567, "pipeline.onnx": 1_300_000},
}


def test_the_page_is_the_one_that_the_measured_rows_give() -> None:
    assert (ROOT / "docs" / "systems.md").read_text(encoding="utf-8") == page(SYSTEMS, ROWS)


def test_every_measured_row_has_every_cell() -> None:
    assert ROWS
    assert {name: set(row["cells"]) for name, row in ROWS.items()} == {name: set(VERBS) for name in ROWS}


def test_a_cell_says_seconds_or_why_it_failed() -> None:
    cells: dict[str, Any] = {verb: {"ok": True, "cpu": 0.24, "wall": 1.0} for verb in VERBS}
    cells["train"] = {"ok": True, "cpu": 26.4, "wall": 30.0, "epochs": 4}
    cells["run.py"] = {"ok": False, "cpu": 0.1, "wall": 0.1, "reason": "a | b"}
    text = page({"cnn": SYSTEMS["cnn"]}, {"cnn": {**ROW, "cells": cells}})
    assert text.splitlines()[-1] == (
        "| `cnn` | image-classification | 0.2 | 0.2 | 26 (4 epochs) | 0.2 | 0.2 | 0.2 | 0.2 | **fails**: a / b | "
        "top1 0.9876 | ≥ 0.976 | PASS | 2.0 | 1.2 MB | 2026-11-28 |"
    )
    assert page({"convnet": SYSTEMS["convnet"]}, {}).endswith("\nNot measured yet: convnet.\n")
