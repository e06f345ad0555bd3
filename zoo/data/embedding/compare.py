"""Embeddings of several inputs, compared.  Stands alone (numpy): bundles carry this code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Match = tuple[int, int, float, bool | None]
"""Two places, their similarity, and whether they are the same; None where no threshold was measured."""


def matches(embeddings: Sequence[Any], threshold: float | None, limit: int = 5) -> list[Match]:
    """The pair of two embeddings; of more, each with those most similar to it, `limit` at most."""
    rows = np.stack(embeddings).astype(np.float64)
    similar = rows @ rows.T
    ranked = np.argsort(-similar, axis=1, kind="stable").tolist()
    pairs = [(one, other) for one, row in enumerate(ranked) for other in [at for at in row if at != one][:limit]]
    scored = [(one, other, float(similar[one, other])) for one, other in (pairs if len(rows) > 2 else pairs[:1])]
    return [(*match, None if threshold is None else match[2] >= threshold) for match in scored]


def described(names: Sequence[str], found: Sequence[Match], facts: Mapping[str, Any]) -> str:
    """A line for each match, and what the decisions rest on; `facts` are the problem's."""
    words = {True: "same      ", False: "different ", None: ""}
    lines = [f"{score:7.4f}  {words[same]}{names[one]}  {names[other]}" for one, other, score, same in found]
    if facts.get("threshold") is not None:
        lines.append(f"same from {facts['threshold']:.4f} on (at most {facts['far']:.1%} false accepts in validation)")
    return "\n".join(lines)


def in_words(embedding: Any) -> str:
    """One line: how many numbers, their length, the first few."""
    first = " ".join(f"{value:.4f}" for value in embedding[:6])
    return f"{len(embedding)} numbers of length {np.linalg.norm(embedding):.4f}: {first} …"
