"""Text to go on with, as the cases that a language model is measured with; torch-free."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from zoo.api.data import DataCard
from zoo.api.problem import Problem
from zoo.api.task import Case, Purpose
from zoo.data.text.cases import LENGTHS, Tokens, measured_items, random_tokens, real_tokens, row
from zoo.data.text.encoding import token_input
from zoo.data.text.vocabulary import encode, token_ids

EMBEDDED: Final = "names"
GOLDEN_ITEMS: Final = 3
WINDOW: Final = 64
"""Tokens of an evaluation item."""


def cases(card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
    """At most `limit` for a purpose, without state; the truth of an item is the token after each."""
    made: dict[Purpose, Callable[[DataCard | None, Problem], Iterator[Case]]] = {
        Purpose.PIPELINE: _raw,
        Purpose.MODEL: _ready,
        Purpose.EVALUATION: _items,
        Purpose.GOLDEN: _golden,
    }
    return islice(made[purpose](card, problem), limit)


def _case(name: str, kind: str, tokens: Tokens, *, gates: bool = True) -> Case:
    return Case(name=name, kind=kind, inputs={"tokens": row(tokens)}, gates=gates, origin="synthetic")


def _raw(card: DataCard | None, problem: Problem) -> Iterator[Case]:
    """Real text of every length, from short to long and twice as long."""
    long, short, least = LENGTHS
    text = real_tokens(card, problem, long)
    for number in (1, 2, 3):
        yield _case(f"length {long}, {number}", "realistic", next(text))
    yield _case(f"length {short}", "short", next(real_tokens(card, problem, short)))
    yield _case(f"length {least}", "shortest", next(real_tokens(card, problem, least)))
    yield _case(f"length {2 * long}", "long", next(real_tokens(card, problem, 2 * long)))


def _ready(card: DataCard | None, problem: Problem) -> Iterator[Case]:
    """Random tokens and one repeated token gate; unknown tokens only inform."""
    long, short, _ = LENGTHS
    yield _case("uniform 1", "uniform", random_tokens(problem, long, seed=1))
    yield _case("uniform 2", "uniform", random_tokens(problem, long, seed=2))
    yield _case("uniform 3", "uniform", random_tokens(problem, short, seed=3))
    yield _case("one token", "smooth", [next(real_tokens(card, problem, 1))[0]] * long)
    yield _case("unknown tokens", "unknown", [1] * short, gates=False)


def _items(card: DataCard | None, problem: Problem) -> Iterator[Case]:
    """Windows of the evaluation text, each going on where the one before ends."""
    split, items = measured_items(card)
    places, unit = token_ids(problem.vocabulary), token_input(problem).unit
    text = "\n".join(item.text.strip("\n") for item in items)
    tokens = encode(f"\n{text}\n", places, unit)
    for at in range(0, len(tokens) - 1, WINDOW):
        yield Case(
            name=f"{split}, token {at}",
            kind="realistic",
            continues=at > 0,
            inputs={"tokens": row(tokens[at : min(at + WINDOW, len(tokens) - 1)])},
            truth=row(tokens[at + 1 : at + WINDOW + 1])[0],
            origin=f"{split}, token {at}",
        )


def _golden(card: DataCard | None, problem: Problem) -> Iterator[Case]:
    """Two windows of embedded names, and up to three of the data's own text, or else more windows."""
    first, second, *others = islice(_items(None, problem), 2 + GOLDEN_ITEMS)
    yield from (first, second)
    own = card is not None and card.source.format != EMBEDDED
    yield from islice(_items(card, problem), GOLDEN_ITEMS) if own else others
