"""The vocabulary that training texts give a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from zoo.data.text.vocabulary import SPECIAL, pieces

RARE: Final = 2
"""What all texts together have less often than that is unknown, so that a model learns what unknown means."""


def build_vocabulary(texts: Iterable[str], *, unit: str, limit: int) -> tuple[str, ...]:
    """The special entries, then what the texts are made of, the most frequent first."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(pieces(text, unit))
    ranked = sorted((piece for piece in counts if counts[piece] >= RARE), key=lambda piece: (-counts[piece], piece))
    return (*SPECIAL, *ranked[: limit - len(SPECIAL)])
