"""Rows of a sweep: appended whole, read back, merged, compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from zoo.api.errors import BadFile
from zoo_export.sweep.compare import Change, compare, in_one_alone, version_changes
from zoo_export.sweep.rows import SweepRow, Verdict, append_row, read_rows, summary


def row(model: str, verdict: Verdict = "PASS", *, reason: str = "", cpu: float = 10.0, torch: str = "1") -> SweepRow:
    return SweepRow(
        model=model, verdict=verdict, reason=reason, cpu_seconds=cpu, machine="x86_64", versions={"torch": torch}
    )


def test_rows_come_back_and_the_last_of_a_model_counts(tmp_path: Path) -> None:
    for one in (row("a"), row("b", "FAIL"), row("a", "WARN")):
        append_row(tmp_path / "rows.jsonl", one)
    assert read_rows([tmp_path]) == {"a": row("a", "WARN"), "b": row("b", "FAIL")}


def test_shards_merge(tmp_path: Path) -> None:
    append_row(tmp_path / "rows-0001-of-0002.jsonl", row("a"))
    append_row(tmp_path / "rows-0002-of-0002.jsonl", row("b"))
    assert list(read_rows([tmp_path])) == ["a", "b"]


@pytest.mark.parametrize("names", [("rows.jsonl", "rows-0001-of-0002.jsonl"), ("a.jsonl", "b.jsonl")])
def test_of_two_files_the_newer_row_of_a_model_counts(names: tuple[str, str], tmp_path: Path) -> None:
    append_row(tmp_path / names[0], replace(row("a", "FAIL"), written="2026-12-01T00:00:00Z"))
    append_row(tmp_path / names[1], replace(row("a"), written="2026-12-02T00:00:00Z"))
    append_row(tmp_path / "z.jsonl", row("a", "CRASH"))  # of a zoo that wrote no time
    assert read_rows([tmp_path])["a"].verdict == "PASS"


def test_a_line_without_its_end_is_left_out_and_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    append_row(path, row("a"))
    with path.open("a") as file:
        file.write('{"model": "b", "verd')
    assert list(read_rows([path])) == ["a"]
    append_row(path, row("c"))
    assert list(read_rows([path])) == ["a", "c"]


@pytest.mark.parametrize("line", ["nonsense", "[1]", '{"model": "a"}'])
def test_a_line_that_is_no_row_is_an_error(line: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{line}\n")
    with pytest.raises(BadFile, match="line 1 is no row of a sweep"):
        read_rows([path])


def test_a_summary_counts() -> None:
    assert summary([row("a"), row("b", "WARN"), row("c", "TIMEOUT"), row("d", "FAIL")]) == (
        "2 of 4 proved; 1 FAIL, 1 TIMEOUT"
    )


def test_a_comparison_tells_what_broke_first() -> None:
    old = {
        "a": row("a"),
        "b": row("b", "FAIL", reason="no"),
        "c": row("c"),
        "d": row("d"),
        "e": row("e"),
        "x": row("x"),
    }
    new = {
        "a": row("a", torch="2"),
        "b": row("b"),
        "c": row("c", cpu=16.0),
        "d": row("d", "WARN"),
        "e": row("e", "CRASH", reason="gone"),
        "y": row("y"),
    }
    assert compare(old, new) == (
        Change(model="e", kind="broken", before="PASS", after="CRASH: gone"),
        Change(model="b", kind="mended", before="FAIL: no", after="PASS"),
        Change(model="d", kind="other verdict", before="PASS", after="WARN"),
        Change(model="c", kind="slower", before="10 CPU s", after="16 CPU s"),
    )
    assert version_changes(old, new) == ("torch 1 -> 1 and 2",)
    assert compare(old, old) == ()
    assert in_one_alone(old, new) == (("x",), ("y",))


def test_a_slower_answer_is_told_on_the_same_machine_alone() -> None:
    old, slow = replace(row("a"), latency_ms=2.0), replace(row("a", cpu=30.0), latency_ms=6.0)
    expected = Change(model="a", kind="slower", before="10 CPU s, 2 ms", after="30 CPU s, 6 ms")
    assert compare({"a": old}, {"a": slow}) == (expected,)
    assert compare({"a": old}, {"a": replace(old, latency_ms=3.9)}) == ()
    assert compare({"a": old}, {"a": replace(slow, machine="arm64")}) == ()
