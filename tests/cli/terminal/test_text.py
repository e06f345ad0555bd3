"""How numbers and texts are shown on a terminal."""

from __future__ import annotations

from zoo.cli.terminal.text import shortened


def test_a_long_text_is_one_line_that_says_how_long_it_was() -> None:
    assert shortened("two\n words") == "two words"
    assert shortened("a" * 100) == "a" * 100
    assert shortened("a" * 1_200) == "a" * 100 + " … (1,200 characters)"
