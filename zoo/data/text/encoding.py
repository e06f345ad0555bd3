"""Texts to token numbers and back, in the unit that a problem's model reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from zoo.api.problem import Problem, TokenInput
from zoo.data.text import vocabulary, wordpiece


def token_input(problem: Problem) -> TokenInput:
    """The problem's input, which is text."""
    if not isinstance(problem.input, TokenInput):
        raise TypeError(f"{problem.task} takes text, not {type(problem.input).__name__}")
    return problem.input


def is_wordpiece(problem: Problem) -> bool:
    """Whether the model reads BERT's word pieces."""
    return token_input(problem).unit == "wordpiece"


def rules(problem: Problem) -> dict[str, Any]:
    """How a problem with the unit "wordpiece" cuts its texts, see `zoo.data.text.wordpiece`."""
    return cast("dict[str, Any]", problem.facts["tokenizer"])


def encoder(problem: Problem) -> Callable[[str], list[int]]:
    """What gives the token numbers of a text, cut at the longest length; none where there is nothing to read."""
    facts = token_input(problem)
    places = vocabulary.numbers(problem.vocabulary)
    if is_wordpiece(problem):
        known = rules(problem)
        return lambda text: wordpiece.encode(text, places, known, facts.max_length)
    return lambda text: vocabulary.encode(text.strip(), places, facts.unit)[: facts.max_length]


def unknown(problem: Problem) -> int:
    """The number of the token that stands for what is not in the vocabulary."""
    if is_wordpiece(problem):
        return int(rules(problem)["unknown"])
    return vocabulary.UNKNOWN


def spelt(tokens: Iterable[int], problem: Problem) -> str:
    """The text of token numbers, as far as the vocabulary can spell it."""
    if not is_wordpiece(problem):
        return vocabulary.decode(tokens, problem.vocabulary)
    known = rules(problem)
    kept = (problem.vocabulary[token] for token in tokens if token not in (*known["first"], *known["last"]))
    return " ".join(kept).replace(" ##", "")
