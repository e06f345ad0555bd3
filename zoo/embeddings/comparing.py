"""Embeddings of several inputs, compared.  Stands alone (numpy): bundles carry this code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Match = tuple[int, int, float, bool | None]
"""Two places, their similarity, and whether they are the same; None where no threshold was measured."""


def matches(embeddings: Sequence[Any], threshold: float | None, limit: int) -> list[Match]:
    """The pair of two embeddings; of more, each with those most similar to it, `limit` at most."""
    rows = np.stack([np.asarray(one, np.float64) for one in embeddings])
    similar = rows @ rows.T
    found = []
    for one in range(len(rows) if len(rows) > 2 else 1):
        nearest = [int(other) for other in np.argsort(-similar[one], kind="stable") if other != one][:limit]
        for other in nearest:
            score = float(similar[one, other])
            found.append((one, other, score, None if threshold is None else score >= threshold))
    return found


def described(names: Sequence[str], found: Sequence[Match], facts: Mapping[str, Any]) -> str:
    """A line for each match, and what the decisions rest on; `facts` are the problem's."""
    words = {True: "same      ", False: "different ", None: ""}
    lines = [f"{score:7.4f}  {words[same]}{names[one]}  {names[other]}" for one, other, score, same in found]
    if facts.get("threshold") is not None:
        rate = f"{facts['false_accept_rate']:.1%} of the validation pairs of two identities for one"
        lines.append(f"same from a similarity of {facts['threshold']:.4f} on, which took {rate}")
    return "\n".join(lines)


def in_words(embedding: Any) -> str:
    """One line: how many numbers, their length, the first few."""
    values = np.asarray(embedding, np.float64)
    first = " ".join(f"{value:.4f}" for value in values[:6])
    return f"{values.size} numbers of length {np.linalg.norm(values):.4f}: {first} …"
