"""Rows of a table of numbers as the inputs of pipeline.onnx; what bundles carry needs only numpy."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def read_rows(path: Path, problem: Mapping[str, Any]) -> list[tuple[str, dict[str, np.ndarray[Any, Any]]]]:
    """Every row of a CSV or TSV file: its name, "row 1", and `features` float32 [1, features].

    The columns are found by their names, whatever their order; others are left alone.  ValueError names the row and
    the column that is no number.

    Args:
        path: A CSV or TSV file.
        problem: The facts of the manifest; the columns are those of its fact `columns`.

    Returns:
        (name, inputs) for each row.

    Raises:
        ValueError: A column is missing, or a cell is no number.

    Examples:
        >>> _ = Path("a.csv").write_text("x,y\\n1,2\\n3,4\\n")
        >>> rows = read_rows(Path("a.csv"), {"facts": {"columns": ["y"]}})
        >>> [(name, inputs["features"].tolist()) for name, inputs in rows]
        [('row 1', [[2.0]]), ('row 2', [[4.0]])]
    """
    columns = problem["facts"]["columns"]
    with path.open(newline="", encoding="utf-8-sig") as file:
        table = csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        missing = [name for name in columns if name not in (table.fieldnames or ())]
        if missing:
            raise ValueError(f"it has no column {', '.join(missing)}")
        rows = [[number(row[name], f"{name} in row {at}") for name in columns] for at, row in enumerate(table, 1)]
    if not rows:
        raise ValueError("it has no rows")
    return [(f"row {at}", {"features": np.array([row], np.float32)}) for at, row in enumerate(rows, 1)]


read = read_rows
"""As the module that a bundle carries must call it."""


def number(text: str | None, what: str) -> float:
    """The finite number in a cell; ValueError says what is none."""
    if text is None:
        raise ValueError(f"{what} is missing")
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{what} is {text!r}, which is no number") from None
    if not abs(value) <= np.finfo(np.float32).max:  # NaN is not, either
        raise ValueError(f"{what} is {text!r}, which is no finite number")
    return value


def show(answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any]) -> str:
    """A line for each number that was asked for: its name and its value."""
    pairs = zip(problem["facts"]["targets"], answer["values"][0].tolist(), strict=True)
    return "\n".join(f"{name}: {value:.6g}" for name, value in pairs)
