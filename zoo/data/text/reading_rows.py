"""Tables of texts as the inputs of pipeline.onnx, row by row; what bundles carry needs only numpy."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.text.reading import read_text

Tokens = dict[str, np.ndarray[Any, Any]]
TEXT_COLUMNS = ("text", "sentence", "content", "review", "comment", "message", "tweet", "body", "document")


def read_rows(path: Path, problem: Mapping[str, Any]) -> Tokens | list[tuple[str, Tokens]]:
    """A text file as the inputs of pipeline.onnx; of a table every row by name.  ValueError says what is wrong."""
    text, kind = path.read_text(encoding="utf-8-sig"), path.suffix.lower()
    if kind in (".jsonl", ".ndjson"):
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    elif kind in (".csv", ".tsv"):
        rows = list(csv.DictReader(io.StringIO(text), delimiter="\t" if kind == ".tsv" else ","))
    else:
        return read_text(text, problem)
    column = next((name for name in TEXT_COLUMNS if rows and name in rows[0]), None)
    if column is None:
        raise ValueError(f"it is a table without a column {', '.join(TEXT_COLUMNS[:4])}, …: ask `zoo predict`")
    return [(f"row {at}", read_text(str(row.get(column) or ""), problem)) for at, row in enumerate(rows, 1)]


read = read_rows
"""As the module that a bundle carries must call it."""
