"""Texts as test inputs: real ones, padded ones, the shortest, random tokens, and far too long ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from zoo.api.data import DataCard, Split
from zoo.api.problem import Problem
from zoo.data.embedded.names import names
from zoo.data.formats.splits import place
from zoo.data.formats.text.rows import TextItem
from zoo.data.text.encoding import encoder, token_input, unknown
from zoo.data.text.vocabulary import SPECIAL, UNKNOWN

Tokens = list[int]
LENGTHS = (33, 5, 1)
"""None is a multiple of another, except of 1, the shortest possible."""
LONG = 300


def measured_items(card: DataCard | None) -> tuple[str, Sequence[TextItem]]:
    """The name and the items of the test split, or of validation where there is none, in the order of their hashes."""
    if card is None:
        return "embedded names", [TextItem(text, name=f"{language}: {text}") for text, language in names("test")]
    split: Split = "test" if card.splits.get("test") else "validation"
    return split, sorted(card.splits[split], key=lambda item: place(item.text))


def real_tokens(card: DataCard | None, problem: Problem, length: int) -> Iterator[Tokens]:
    """Windows of real text, endlessly: each of `length` tokens, or of the most that the model reads."""
    _, items = measured_items(card)
    encode, length = encoder(problem), min(length, token_input(problem).max_length)
    tokens = [token for item in items[:400] for token in encode(item.text)] or [unknown(problem)]
    at = 0
    while True:
        yield [tokens[(at + step) % len(tokens)] for step in range(length)]
        at += length


def random_tokens(problem: Problem, length: int, *, seed: int) -> Tokens:
    """Tokens drawn uniformly from the vocabulary."""
    size = max(len(problem.vocabulary), len(SPECIAL) + 1)
    tokens: list[int] = np.random.default_rng(seed).integers(UNKNOWN, size, length).tolist()
    return tokens


def row(tokens: Tokens, *, padded_to: int = 0) -> npt.NDArray[np.int64]:
    """int64 [1, length], padded at the end with zeros."""
    return np.array([tokens + [0] * (padded_to - len(tokens))], np.int64)
