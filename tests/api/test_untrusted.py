"""What comes from elsewhere stays a text wherever it is shown."""

from __future__ import annotations

import json

import pytest

from zoo.api.untrusted import defused, escaped_json, one_line, visible

HOSTILE = {
    "\x1b[2J": r"\x1b[2J",
    "\x00\x07\r": r"\x00\x07\r",
    "\x7f": r"\x7f",
    "\x9b31m": r"\x9b31m",
    "\u202egnp.exe": r"\u202egnp.exe",
    "\u2066\u2069\u200f": r"\u2066\u2069\u200f",
    "\u2028\u2029": r"\u2028\u2029",
    "\udcff.png": r"\udcff.png",
}


@pytest.mark.parametrize(("text", "spelled"), HOSTILE.items())
def test_control_characters_are_spelled_out(text: str, spelled: str) -> None:
    assert visible(text) == one_line(text) == spelled


def test_line_feeds_stay_in_a_text_and_not_in_a_name() -> None:
    assert visible("one\n\ttwo") == "one\n\ttwo"
    assert one_line("one\n\ttwo") == r"one\n\ttwo"


@pytest.mark.parametrize(
    "text", ["", "cat", "naïve café", "日本語", "\u0645\u06cc\u200c\u062e\u0648", "👩\u200d🔬", "a\xa0b"]
)
def test_the_words_of_the_world_stay_as_they_are(text: str) -> None:
    assert visible(text) == one_line(text) == text


def test_json_keeps_its_value() -> None:
    names = ["\x1b[2J", "\x9b", "\u202e", "é", '"\\\n', "\udcff"]
    text = escaped_json(json.dumps(names, ensure_ascii=False))
    assert json.loads(text) == names
    assert not set("\x1b\x9b\u202e\udcff") & set(text)
    assert "é" in text


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＠A1"])
def test_a_formula_is_defused(text: str) -> None:
    assert defused(text) == "'" + visible(text)


def test_a_cell_commands_no_terminal() -> None:
    assert defused("\x1b[2Jcat\u202e") == r"\x1b[2Jcat\u202e"


@pytest.mark.parametrize("value", ["cat", "", "a=b", -1.5, None, True])
def test_other_cells_stay_as_they_are(value: object) -> None:
    assert defused(value) == value
