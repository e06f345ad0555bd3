from __future__ import annotations

import pytest

from zoo.data.text.build_vocabulary import build_vocabulary
from zoo.data.text.vocabulary import SPECIAL, UNKNOWN, decode, encode, pieces, token_ids

TEXT = "Der Hund, der  bellt.\nÄ!"


@pytest.mark.parametrize("unit", ["character", "token"])
def test_the_pieces_of_a_text_put_together_are_the_text(unit: str) -> None:
    assert "".join(pieces(TEXT, unit)) == TEXT


def test_a_token_is_a_word_with_the_space_before_it_or_a_sign() -> None:
    assert pieces("a cat, two", "token") == ["a", " cat", ",", " two"]


def test_the_vocabulary_is_ranked_by_frequency_and_leaves_out_what_is_rare() -> None:
    vocabulary = build_vocabulary(["bab", "aac", "b"], unit="character", limit=100)
    assert vocabulary == (*SPECIAL, "a", "b")
    assert build_vocabulary(["bab", "aac", "b"], unit="character", limit=3) == (*SPECIAL, "a")


def test_text_comes_back_from_its_numbers_but_for_what_is_unknown() -> None:
    vocabulary = (*SPECIAL, "a", "b")
    tokens = encode("abc", token_ids(vocabulary), "character")
    assert tokens == [2, 3, UNKNOWN]
    assert decode([*tokens, 0, 0], vocabulary) == "ab\N{REPLACEMENT CHARACTER}"


def test_a_text_cannot_spell_a_special_entry() -> None:
    vocabulary = build_vocabulary(["<pad> <pad>"] * 2, unit="token", limit=100)
    assert 0 not in encode("<pad>", token_ids(vocabulary), "token")


def test_a_letter_with_its_accent_apart_is_the_letter_with_its_accent() -> None:
    assert pieces("e\N{COMBINING ACUTE ACCENT}", "character") == ["é"]
