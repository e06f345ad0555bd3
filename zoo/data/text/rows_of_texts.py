"""The texts of a file, for devices: needs the standard library alone."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

TEXT_COLUMNS = ("text", "sentence", "content", "review", "comment", "message", "tweet", "body", "document")


def rows_of_texts(path: Path) -> str | list[tuple[str, str]]:
    """The text of a text file; of a table every row's by name.  ValueError says what is wrong."""
    text, kind = path.read_text(encoding="utf-8-sig"), path.suffix.lower()
    if kind in (".jsonl", ".ndjson"):
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    elif kind in (".csv", ".tsv"):
        rows = list(csv.DictReader(io.StringIO(text), delimiter="\t" if kind == ".tsv" else ","))
    else:
        return text
    column = next((name for name in TEXT_COLUMNS if rows and name in rows[0]), None)
    if column is None:
        raise ValueError(f"it is a table without a column {', '.join(TEXT_COLUMNS[:4])}, …: ask `zoo predict`")
    return [(f"row {at}", str(row.get(column) or "")) for at, row in enumerate(rows, 1)]
