"""Texts to token ids and back, in the unit that a problem's model reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from zoo.api.problem import Problem, TokenInput
from zoo.data.text import vocabulary, wordpiece
from zoo.data.text.subword import decode as subword_decode
from zoo.data.text.subword.encode import subword_encoder


def token_input(problem: Problem) -> TokenInput:
    """The problem's input, which is text; TypeError where it is not."""
    if not isinstance(problem.input, TokenInput):
        raise TypeError(f"{problem.task} takes text, not {type(problem.input).__name__}")
    return problem.input


def is_wordpiece(problem: Problem) -> bool:
    """Whether the model reads BERT's word pieces."""
    return token_input(problem).unit == "wordpiece"


def is_subword(problem: Problem) -> bool:
    """Whether a tokenizer.json says how texts are cut."""
    return token_input(problem).unit == "subword"


def rules(problem: Problem) -> dict[str, Any]:
    """The tokenizer's rules of a problem with the unit "wordpiece" or "subword", see the modules of these names."""
    return cast("dict[str, Any]", problem.facts["tokenizer"])


def encoder(problem: Problem) -> Callable[[str], list[int]]:
    """The function from a text to its token ids, cut at the longest length; no ids where the text is empty."""
    facts = token_input(problem)
    if is_subword(problem):
        return _subwords(problem)
    ids = vocabulary.token_ids(problem.vocabulary)
    if is_wordpiece(problem):
        known = rules(problem)
        return lambda text: wordpiece.encode_wordpieces(text, ids, known, facts.max_length)
    return lambda text: vocabulary.encode(text.strip(), ids, facts.unit)[: facts.max_length]


def _subwords(problem: Problem) -> Callable[[str], list[int]]:
    known, longest = rules(problem), token_input(problem).max_length
    encode, ends = subword_encoder(problem.vocabulary, known), len(known["first"]) + len(known["last"])

    def cut(text: str) -> list[int]:
        tokens = encode(text, longest)
        return tokens if len(tokens) > ends else []

    return cut


def unknown(problem: Problem) -> int:
    """The token id of what is not in the vocabulary."""
    if is_wordpiece(problem) or is_subword(problem):
        return int(rules(problem)["unknown"])
    return vocabulary.UNKNOWN


def decode(tokens: Iterable[int], problem: Problem) -> str:
    """The text of token ids, as far as the vocabulary can spell it."""
    if is_subword(problem):
        return subword_decode.decode(tokens, problem.vocabulary, rules(problem))
    if not is_wordpiece(problem):
        return vocabulary.decode(tokens, problem.vocabulary)
    known = rules(problem)
    kept = (problem.vocabulary[token] for token in tokens if token not in (*known["first"], *known["last"]))
    return " ".join(kept).replace(" ##", "")
