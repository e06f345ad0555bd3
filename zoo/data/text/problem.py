"""The problem that texts give a model: classes, and a vocabulary in the unit that it reads."""

from __future__ import annotations

from zoo.api.data import DataCard
from zoo.api.problem import Input, Problem
from zoo.data.text.build_vocabulary import build_vocabulary
from zoo.data.text.build_wordpieces import RULES, build_wordpieces
from zoo.data.text.encoding import is_wordpiece, token_input


def text_problem(task: str, card: DataCard, input: Input, *, classes: tuple[str, ...] = ()) -> Problem:
    """The vocabulary of a card's training texts; for word pieces the fact "tokenizer" too."""
    plain = Problem(task=task, input=input, classes=classes)
    facts = token_input(plain)
    texts = (item.text for item in card.splits["train"])
    if not is_wordpiece(plain):
        vocabulary = build_vocabulary(texts, unit=facts.unit, limit=facts.vocabulary_limit)
        return Problem(task=task, input=input, classes=classes, vocabulary=vocabulary)
    vocabulary = build_wordpieces(texts, limit=facts.vocabulary_limit)
    rules = {"tokenizer": dict(RULES)}
    return Problem(task=task, input=input, classes=classes, vocabulary=vocabulary, facts=rules)
