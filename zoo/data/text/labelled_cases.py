"""Texts with labels as the cases that a model on them is measured with; torch-free."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final, cast

from zoo.api.data import DataCard, Split
from zoo.api.problem import Problem
from zoo.api.task import Case, Item, Purpose
from zoo.data.embedded.names import LANGUAGES
from zoo.data.text.cases import LENGTHS, LONG, Tokens, measured_items, random_tokens, real_tokens, row
from zoo.data.text.encoding import encoder, unknown
from zoo.data.text.labelled_texts import EMBEDDED

GOLDEN_ITEMS: Final = 3


def labelled_cases(card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
    """At most `limit` cases for a purpose; the truth is the index of the label, without classes a language code."""
    sources = {
        Purpose.PIPELINE: _raw,
        Purpose.MODEL: _ready,
        Purpose.EVALUATION: _items,
        Purpose.GOLDEN: _golden,
    }
    return islice(sources[purpose](card, problem), limit)


def _case(name: str, kind: str, tokens: Tokens, *, padded_to: int = 0, gates: bool = True) -> Case:
    inputs = {"tokens": row(tokens, padded_to=padded_to), "lengths": row([len(tokens)])[0]}
    return Case(name=name, kind=kind, inputs=inputs, gates=gates, origin="synthetic")


def _raw(card: DataCard | None, problem: Problem) -> Iterator[Case]:
    """First a padded text, so that reading the padding is noticed; then every length, and random tokens.

    Real texts are often so clear that all probabilities are 0 or 1, where rounding errors have no way to show.
    """
    long, short, least = LENGTHS
    half = long // 2
    yield _case(f"{short} of {long}", "padded", next(real_tokens(card, problem, short)), padded_to=long)
    yield _case(f"length {long}", "uniform", random_tokens(problem, long, seed=1))
    yield _case(f"{least} of {long}", "padded", next(real_tokens(card, problem, least)), padded_to=long)
    yield _case(f"length {short}", "short", next(real_tokens(card, problem, short)))
    yield _case(f"length {least}", "shortest", next(real_tokens(card, problem, least)))
    yield _case(f"{half} of {long}", "uniform", random_tokens(problem, half, seed=2), padded_to=long)


def _ready(card: DataCard | None, problem: Problem) -> Iterator[Case]:
    """Real texts and one repeated token gate; unknown tokens and a text longer than any name only inform."""
    long, short, _ = LENGTHS
    yield _case(f"text of {long}", "realistic", next(real_tokens(card, problem, long)))
    yield _case("one token", "smooth", [next(real_tokens(card, problem, 1))[0]] * long)
    yield _case("unknown tokens", "unknown", [unknown(problem)] * short, gates=False)
    yield _case("long", "extreme", next(real_tokens(card, problem, LONG)), gates=False)


def _items(card: DataCard | None, problem: Problem) -> Iterator[Case]:
    split, items = measured_items(card)
    encode = encoder(problem)
    for item in items:
        tokens = encode(item.text)
        if tokens:
            truth = item.label if card is not None else _language(item.name, problem)
            inputs = {"tokens": row(tokens), "lengths": row([len(tokens)])[0]}
            where = None if card is None else Item(card=card, split=cast(Split, split), sample=item)
            origin = f"{split}, {item.name}"
            yield Case(name=item.text, kind="realistic", inputs=inputs, truth=truth, origin=origin, item=where)


def _language(name: str, problem: Problem) -> int | str | None:
    """The language of an embedded name; its class, where the classes are the embedded languages."""
    code = name.partition(":")[0]
    if not problem.classes:
        return code
    return problem.classes.index(code) if set(problem.classes) == set(LANGUAGES) else None


def _golden(card: DataCard | None, problem: Problem) -> Iterator[Case]:
    """Two embedded names, one of them padded, and up to three of the data's own, or else more names."""
    long, _, _ = LENGTHS
    first, second, *others = islice(_items(None, problem), 2 + GOLDEN_ITEMS)
    yield first
    tokens = second.inputs["tokens"][0].tolist()[:long]
    padded = _case(f"{second.name}, padded", "padded", tokens, padded_to=long)
    yield padded
    own = card is not None and card.source.format != EMBEDDED
    yield from islice(_items(card, problem), GOLDEN_ITEMS) if own else others
