"""Tables of commands: aligned, and folded to the width of a terminal without breaking what people copy."""

from __future__ import annotations

import pytest

from zoo.cli.terminal.output import fact_lines, folded_table, plain_table

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
    assert folded_table(("a",), [("longer than the width",)], width=3) == ["a", "longer than the width"]


def test_no_word_is_split_where_the_columns_are_too_many() -> None:
    rows = [("resnet18", "0123456789abcdef of a", "https://example.com/a-long/address?x=1"), ("b", "", "MIT")]
    assert folded_table(("model", "name", "where"), rows, width=30) == [
        "model",
        "resnet18",
        "  name   0123456789abcdef of a",
        "  where  https://example.com/a-long/address?x=1",
        "b",
        "  where  MIT",
    ]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_every_word_of_a_table_comes_through_whole(width: int) -> None:
    cells = ("a_rather_long_name", "one-that says a lot", "https://example.com/" + "x" * 50)
    words = " ".join(folded_table(HEADER, [cells], width=width)).split()
    assert set(" ".join(cells).split()) <= set(words)


def test_facts_are_folded_between_words() -> None:
    pairs = [("paper", "He et al., Deep residual learning, https://arxiv.org/abs/1512.03385"), ("size", "1 kB")]
    assert fact_lines(pairs, width=None) == [f"paper  {pairs[0][1]}", "size   1 kB"]
    assert fact_lines(pairs, width=30) == [
        "paper  He et al., Deep",
        "       residual learning,",
        "       https://arxiv.org/abs/1512.03385",
        "size   1 kB",
    ]


def test_a_hash_that_has_no_room_beside_its_name_stands_below_it() -> None:
    pairs = [("a_rather_long_name", "0123456789" * 3), ("size", "1 kB")]
    assert fact_lines(pairs, width=40) == ["a_rather_long_name", "  " + "0123456789" * 3, "size                1 kB"]
