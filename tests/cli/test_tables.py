"""Tables of commands: aligned, and folded to the width of a terminal without breaking what people copy."""

from __future__ import annotations

from zoo.cli.output import folded_table, plain_table

HEADER = ("model", "licence", "size")
ROWS = [("a_rather_long_name", "one that says a lot", "1 kB"), ("b", "MIT", "12 kB")]


def test_columns_are_aligned() -> None:
    assert plain_table(HEADER, ROWS, right=("size",)) == [
        "model               licence               size",
        "a_rather_long_name  one that says a lot   1 kB",
        "b                   MIT                  12 kB",
    ]
    assert folded_table(HEADER, ROWS, right=("size",), width=46) == plain_table(HEADER, ROWS, right=("size",))


def test_wide_cells_are_folded_but_never_the_first() -> None:
    assert folded_table(HEADER, ROWS, right=("size",), width=36) == [
        "model               licence     size",
        "a_rather_long_name  one that    1 kB",
        "                    says a",
        "                    lot",
        "b                   MIT        12 kB",
    ]
    assert folded_table(HEADER, ROWS, width=5)[1].startswith("a_rather_long_name  one that")
    assert folded_table(("a",), [("longer than the width",)], width=3) == ["a", "longer than the width"]


def test_a_word_that_is_too_long_is_broken() -> None:
    assert folded_table(("a", "b"), [("x", "0123456789abcdef")], width=13) == ["a  b", "x  0123456789", "   abcdef"]
