"""Patterns of Python for JavaScript: what is rewritten, and what is refused."""

from __future__ import annotations

import pytest

from zoo.bundle.demo.tokenizer import javascript_pattern, javascript_rules

NOTHING = {"pattern": "", "tokens": {}, "word": "", "space": ""}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"\A[ \u00e9]+\Z", r"^[\u{20}\u{00e9}]+$"),
        (r"\#\-a\ b", r"\u{23}\u{2d}a\u{20}b"),
        ("[]a-c]|[^-x]", r"[\u{5d}a-c]|[^-x]"),
        (r"[\]\-\\]", r"[\u{5d}\u{2d}\u{5c}]"),
        ("a{,3}b{2,}?c{}}]", r"a{0,3}b{2,}?c\u{7b}\u{7d}\u{7d}\u{5d}"),
        (r"(?:\r\n|.)(?!\u2028)", r"(?:\r\n|[^\n])(?!\u{2028})"),
        ("(?i:'s|k)x", r"(?:\u{27}[\u{53}-\u{53}\u{73}-\u{73}\u{17f}-\u{17f}]|"
                       r"[\u{4b}-\u{4b}\u{6b}-\u{6b}\u{212a}-\u{212a}])x"),
        ("\U0001f600", r"\u{1f600}"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_pattern_is_written_for_javascript(pattern: str, expected: str) -> None:
    assert javascript_pattern(pattern).replace(r"[\u{27}-\u{27}]", r"\u{27}") == expected


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("a++", r"the possessive repetition \+\+"),
        ("(?>a|ab)c", r"the group \(\?>"),
        ("(?=a)*b", r"a repeated assertion before \*"),
    ],
)
def test_what_javascript_does_not_have_is_named(pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        javascript_pattern(pattern)


def test_replacements_become_parts() -> None:
    steps = [{"do": "replace", "pattern": "a", "by": by} for by in (r" \g<0> ", "\\\\_", "")]
    rules = {"normalizer": steps, "pre_tokenizer": [], "added": {"raw": NOTHING}}
    assert [step["by"] for step in javascript_rules(rules)["normalizer"]] == [[" ", None, " "], ["\\", "_"], []]
    steps[0]["by"] = r"\1"
    with pytest.raises(ValueError, match="names groups"):
        javascript_rules(rules)
