"""Pairs to verify, in the two forms people have, with what is wrong told by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoo.api.errors import BadFile, DataError
from zoo.data.formats.identities.pairs import beside, holds_pairs, read_pairs, resolve


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_pairs_of_lfw(tmp_path: Path) -> None:
    found = read_pairs(
        write(tmp_path, "pairs.txt", "10\t300\nAbel_Pacheco\t1\t4\nAbel_Pacheco\t2\tAkbar_Al_Baker\t1\n")
    )
    assert [(one.first, one.second, one.same) for one in found.pairs] == [
        ("Abel_Pacheco/Abel_Pacheco_0001", "Abel_Pacheco/Abel_Pacheco_0004", True),
        ("Abel_Pacheco/Abel_Pacheco_0002", "Akbar_Al_Baker/Akbar_Al_Baker_0001", False),
    ]
    assert [one.where for one in found.pairs] == ["pairs.txt line 2", "pairs.txt line 3"]
    assert found.problems == ()


def test_a_count_alone_and_spaces_are_read_too(tmp_path: Path) -> None:
    found = read_pairs(write(tmp_path, "pairs.txt", "2\nAnn 1 2\n\nAnn 1 Bob 12\n"))
    assert [one.second for one in found.pairs] == ["Ann/Ann_0002", "Bob/Bob_0012"]


def test_a_table_names_paths(tmp_path: Path) -> None:
    text = "a,b,same\nx/1.png,x/2.png,1\nx/1.png,y/1.png,different\nx/1.png,y/1.png,FALSE\n"
    found = read_pairs(write(tmp_path, "pairs.csv", text))
    assert [(one.first, one.second, one.same) for one in found.pairs] == [
        ("x/1.png", "x/2.png", True),
        ("x/1.png", "y/1.png", False),
        ("x/1.png", "y/1.png", False),
    ]


@pytest.mark.parametrize(
    ("name", "line", "fix"),
    [
        ("pairs.txt", "Ann one 2", "write `Name 1 4` or `Name 1 Other 2`"),
        ("pairs.txt", "Ann 1", "write `Name 1 4` or `Name 1 Other 2`"),
        ("pairs.csv", "x.png,y.png,maybe", "write two paths, and 1 for the same or 0"),
        ("pairs.csv", "x.png,,1", "write two paths, and 1 for the same or 0"),
    ],
)
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, name: str, line: str, fix: str) -> None:
    head = "a,b,same\n" if name.endswith("csv") else "Ann 1 2\n"
    [problem] = read_pairs(write(tmp_path, name, f"{head}{line}\n")).problems
    assert (problem.where, problem.reason, problem.fix) == (f"{name} line 2", f"{line!r} is no pair", fix)


def test_a_table_without_the_columns_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no column same; its first line has a, b"):
        read_pairs(write(tmp_path, "pairs.csv", "a,b\nx,y\n"))
    with pytest.raises(DataError, match="names no pairs"):
        read_pairs(write(tmp_path, "pairs.txt", "10 300\n"))
    (tmp_path / "bytes.txt").write_bytes(b"Ann \xff 1")
    with pytest.raises(BadFile, match="not UTF-8 text: byte 0xff at 4, in line 1"):
        read_pairs(tmp_path / "bytes.txt")


def test_tables_of_pairs_are_told_from_tables_of_labels(tmp_path: Path) -> None:
    assert holds_pairs(write(tmp_path, "one.csv", "same,a,b\n"))
    assert not holds_pairs(write(tmp_path, "two.csv", "path,label\n"))
    assert not holds_pairs(tmp_path / "photo.png")
    assert beside(tmp_path) is None
    assert beside(write(tmp_path, "pairs.tsv", "a\tb\tsame\n").parent) == tmp_path / "pairs.tsv"


def test_names_without_a_suffix_find_their_picture_and_others_are_named(tmp_path: Path) -> None:
    pairs = read_pairs(write(tmp_path, "pairs.txt", "Ann 1 2\nAnn 1 Bob 1\n")).pairs
    found, [problem] = resolve(pairs, ["Ann/Ann_0001.jpg", "Ann/Ann_0002.png"])
    assert found == [("Ann/Ann_0001.jpg", "Ann/Ann_0002.png", True)]
    assert (problem.where, problem.reason) == ("pairs.txt line 2", "no picture Bob/Bob_0001")
