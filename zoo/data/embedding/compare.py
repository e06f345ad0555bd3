"""Embeddings of several inputs, compared.  Stands alone (numpy): bundles carry this code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Match = tuple[int, int, float, bool | None]
"""Two indices, their similarity, and whether they are the same; None where no threshold was measured."""


def matches(embeddings: Sequence[Any], threshold: float | None, limit: int = 5) -> list[Match]:
    """Two embeddings: their pair.  More: for each embedding the pairs with its most similar ones, `limit` at most."""
    rows = np.stack(embeddings).astype(np.float64)
    similar = rows @ rows.T
    ranked = np.argsort(-similar, axis=1, kind="stable").tolist()
    pairs = [(a, b) for a, row in enumerate(ranked) for b in [index for index in row if index != a][:limit]]
    scored = [(a, b, float(similar[a, b])) for a, b in (pairs if len(rows) > 2 else pairs[:1])]
    return [(*match, None if threshold is None else match[2] >= threshold) for match in scored]


def described(names: Sequence[str], pairs: Sequence[Match], facts: Mapping[str, Any]) -> str:
    """A line for each pair, and the threshold that decides; `facts` are the problem's."""
    words = {True: "same      ", False: "different ", None: ""}
    lines = [f"{score:7.4f}  {words[same]}{names[a]}  {names[b]}" for a, b, score, same in pairs]
    if facts.get("threshold") is not None:
        lines.append(f"same from {facts['threshold']:.4f} on (at most {facts['far']:.1%} false accepts in validation)")
    return "\n".join(lines)


def in_words(embedding: Any) -> str:
    """One line: how many numbers, their length, the first few."""
    first = " ".join(f"{value:.4f}" for value in embedding[:6])
    return f"{len(embedding)} numbers of length {np.linalg.norm(embedding):.4f}: {first} …"


def show(answer: Mapping[str, Any], problem: Mapping[str, Any]) -> str:  # noqa: ARG001  every task's
    """One line: size, length and the first numbers."""
    return in_words(answer["embedding"].reshape(-1))


def compare(names: Sequence[str], answers: Sequence[Mapping[str, Any]], problem: Mapping[str, Any]) -> str:
    """A line for each pair: how similar they are, and, where a threshold was measured, whether they are the same."""
    embeddings = [answer["embedding"].reshape(-1) for answer in answers]
    return described(names, matches(embeddings, problem["facts"].get("threshold")), problem["facts"])
