"""Lines on a terminal: no word, number or command is broken."""

from __future__ import annotations

import io

import pytest

from zoo.runs.terminal import folded, folded_command, padded, terminal_columns, width_of


def test_a_sentence_is_broken_between_words() -> None:
    assert folded("left out 3 files other than pictures (3 .txt)", 24) == [
        "left out 3 files other",
        "  than pictures (3 .txt)",
    ]


def test_columns_are_broken_where_they_meet() -> None:
    line = "epoch 1/3  loss 0.7465  val loss 0.6326  accuracy 66.67%"
    assert folded(line, 42) == ["epoch 1/3  loss 0.7465  val loss 0.6326", "  accuracy 66.67%"]


def test_what_stands_in_front_stays_there() -> None:
    assert folded("  a.csv: not text; say which is right", 20) == [
        "  a.csv: not text;",
        "    say which is",
        "    right",
    ]


def test_a_command_at_the_end_can_be_copied() -> None:
    sentence = "to fine-tune: zoo train resnet18 --data 'my photos' --weights imagenet1k_v1"
    assert folded(sentence, 40) == [
        "to fine-tune:",
        "  zoo train resnet18 \\",
        "    --data 'my photos' \\",
        "    --weights imagenet1k_v1",
    ]


def test_a_long_command_is_joined_by_backslashes() -> None:
    command = "next: zoo train MODEL --data 'a b/c d' --encoding cp1252"
    lines = folded_command(command, 30)
    assert lines == ["next: zoo train MODEL \\", "  --data 'a b/c d' \\", "  --encoding cp1252"]
    assert folded_command(command, None) == [command]


@pytest.mark.parametrize("width", [10, 20, 40, 80])
@pytest.mark.parametrize("text", ["one two  three four five", "x" * 50, "a: https://example.com/" + "y" * 60, ""])
def test_every_word_comes_through_whole(text: str, width: int) -> None:
    assert " ".join(folded(text, width)).split() == text.split()


def test_piped_text_has_any_length() -> None:
    assert terminal_columns(io.StringIO()) is None
    assert folded("word " * 100, None) == ["word " * 100]


def test_wide_letters_take_two_columns() -> None:
    assert (width_of("ab"), width_of("日本"), width_of("e\u0301")) == (2, 4, 1)
    assert (padded("日本", 6), padded("日本", 6, right=True)) == ("日本  ", "  日本")


def test_the_last_column_of_a_row_is_folded_under_itself() -> None:
    row = "PASS          proof         proved on Monday: the evidence of 13 gates gives it again"
    assert folded(row, 60) == [
        "PASS          proof         proved on Monday: the evidence",
        "                            of 13 gates gives it again",
    ]
