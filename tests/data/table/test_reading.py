"""A device reads rows by the names of the columns, and says which cell is no number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zoo.data.table.reading import read, read_rows, show

PROBLEM = {"facts": {"columns": ["a", "b"], "targets": ["price", "weight"]}}


def test_columns_are_found_whatever_their_order(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id,b,a\nx,2,1\ny,4,3\n", encoding="utf-8-sig")
    rows = read(path, PROBLEM)
    assert [(name, inputs["features"].tolist()) for name, inputs in rows] == [
        ("row 1", [[1.0, 2.0]]),
        ("row 2", [[3.0, 4.0]]),
    ]
    assert rows[0][1]["features"].dtype == np.float32


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n1\n", "it has no column b"),
        ("a,b\n", "it has no rows"),
        ("a,b\n1,2\n3,four\n", "b in row 2 is 'four', which is no number"),
        ("a,b\n1\n", "b in row 1 is missing"),
        ("a,b\n1,inf\n", "b in row 1 is 'inf', which is no finite number"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_rows(path, PROBLEM)


def test_numbers_are_shown_by_their_names() -> None:
    assert show({"values": np.array([[1.5, 1234567.0]])}, PROBLEM) == "price: 1.5\nweight: 1.23457e+06"
