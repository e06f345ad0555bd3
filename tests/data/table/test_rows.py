"""A table of numbers as people save it becomes a card, or a list of what is wrong with which line."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import DataError
from zoo.data.table.rows import Row, check_table, detect_table, read_table


def card(path: Path, text: str, *, on_bad_sample: str = "error") -> DataCard:
    path.write_text(text, encoding="utf-8")
    request = DataRequest(source=str(path), on_bad_sample=on_bad_sample)  # type: ignore[arg-type]
    return check_table(detect_table(request), progress=lambda _done, _total: None)


def test_columns_are_known_by_their_names_and_rows_by_their_splits(tmp_path: Path) -> None:
    text = "a,target_y,b,split,target_x\n1,2,3,train,4\n5,6,7,val,8\n9,10,11,test,12\n"
    found = card(tmp_path / "t.csv", text)
    assert (found.facts["columns"], found.facts["targets"]) == (["a", "b"], ["target_y", "target_x"])
    assert found.splits == {
        "train": (Row("row 1", (1.0, 3.0), (2.0, 4.0)),),
        "validation": (Row("row 2", (5.0, 7.0), (6.0, 8.0)),),
        "test": (Row("row 3", (9.0, 11.0), (10.0, 12.0)),),
    }


def test_a_byte_order_mark_tabs_and_quotes_change_nothing(tmp_path: Path) -> None:
    plain = card(tmp_path / "t.csv", "a,target\n1,2\n3,4\n")
    marked = card(tmp_path / "m.csv", '\N{BYTE ORDER MARK}"a","target"\n"1","2"\n\n"3","4"\n')
    tabs = card(tmp_path / "t.tsv", "a\ttarget\n1\t2\n3\t4\n")
    assert plain.splits == marked.splits == tabs.splits
    assert plain.fingerprint == marked.fingerprint
    assert plain.counts() == {"train": 1, "validation": 1}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("x,2", "a is 'x', which is no number"),
        (",2", "a is '', which is no number"),
        ("1,nan", "target is 'nan', which is no finite number"),
        ("1,1e39", "target is '1e39', which is no finite number"),
        ("1", "it has 1 cells, the first line has 2"),
        ("1,2,3", "it has 3 cells, the first line has 2"),
    ],
)
def test_a_bad_row_is_named_by_its_line(line: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        card(tmp_path / "t.csv", f'a,target\n1,"2"\n\n{line}\n')
    (problem,) = caught.value.problems
    assert (problem.where, problem.reason) == ("t.csv, line 4", reason)


def test_a_bad_row_is_left_out_where_that_was_asked_for(tmp_path: Path) -> None:
    rows = "".join(f"{number},{number}\n" for number in range(200))
    found = card(tmp_path / "t.csv", f"a,target\nx,1\n{rows}", on_bad_sample="skip")
    assert sum(found.counts().values()) == 200
    assert found.notes[0].startswith("left out 1 bad samples (0.50%), the first: t.csv, line 2: a is 'x'")


def test_an_unknown_split_is_no_guess(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        card(tmp_path / "t.csv", "a,target,split\n1,2,train\n1,2,later\n")
    assert [problem.reason for problem in caught.value.problems] == [
        "the split 'later' is none of train, validation, val, test"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "names no column target"),
        ("target\n1\n", "names no column to learn from"),
        ("a,a,target\n1,2,3\n", "names the column 'a' twice"),
        ("", "names no column target"),
        ("a,target\n", "has nothing to learn from"),
    ],
)
def test_what_is_no_table_is_said(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        card(tmp_path / "t.csv", text)


def test_a_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xff\xfea")
    with pytest.raises(DataError, match="cannot be read"):
        read_table(path)
    with pytest.raises(DataError, match=r"is no \.csv or \.tsv file") as caught:
        detect_table(DataRequest(source=str(tmp_path / "t.xls")))
    assert "target" in caught.value.hint
