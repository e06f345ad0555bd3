"""The list of words and what finds them."""

from __future__ import annotations

from docs.words import Finding, Words, findings

WORDS = Words(
    identifiers={"Walk": "Rollout", "cure": "hint"},
    phrases={"sabotag*": "mutation", "caught by": "killed by", "sham": "baseline"},
    exceptions={"old.py": ["*"], "some.py": ["Walk"]},
)


def lines(**texts: str) -> list[str]:
    """What is found in these texts, their names with a dot for each underscore."""
    return [str(finding) for finding in findings(WORDS, {name.replace("_", "."): text for name, text in texts.items()})]


def test_an_identifier_is_found_as_a_whole_name_in_code_alone() -> None:
    assert lines(a_py="# the Walk\nfor _cure in Walk.cures:\n    'cure'\n") == [
        "a.py:2: 'cure' is called hint",
        "a.py:2: 'Walk' is called Rollout",
    ]
    assert lines(a_md="A Walk, a `Walk(x)`.") == ["a.md:1: 'Walk' is called Rollout"]


def test_a_phrase_is_found_everywhere_in_any_case_and_between_underscores() -> None:
    assert lines(a_md="Sabotages are\ncaught  by\nno shame\nmy_sham_2") == [
        "a.md:1: 'Sabotages' is called mutation",
        "a.md:2: 'caught  by' is called killed by",
        "a.md:4: 'sham' is called baseline",
    ]
    assert lines(sham_py="") == ["sham.py:0: 'sham' is called baseline"]


def test_exceptions_are_one_word_or_all_of_a_file() -> None:
    assert lines(old_py="Walk\nsham", some_py="Walk\ncure") == ["some.py:2: 'cure' is called hint"]


def test_the_list_can_be_read_and_nothing_stands_in_it_for_nothing() -> None:
    words = Words.read()
    assert all(words.identifiers.values()) and all(words.phrases.values())
    assert list(findings(words, {"x.py": "Underway"})) == [
        Finding(file="x.py", line=1, word="Underway", instead=words.phrases["underway"]),
        Finding(file="x.py", line=1, word="Underway", instead=words.identifiers["Underway"]),
    ]
