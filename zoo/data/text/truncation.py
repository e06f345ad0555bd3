"""Texts that are longer than a model reads: they are cut, and that is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from zoo.api.data import DataCard, DataNote, counted
from zoo.api.problem import TokenInput
from zoo.data.formats.text.rows import TextItem, shortened
from zoo.data.text.encoding import encoder
from zoo.data.text.problem import text_problem

UNLIMITED: Final = 2**31
MARGIN: Final = 2
"""Tokens that an encoder may put around a text, as BERT's do."""


def truncation_notes(card: DataCard, input: TokenInput) -> list[str]:
    """A sentence on the texts with more tokens than the input takes; empty where there are none."""
    limit = input.max_length
    items: list[TextItem] = [item for split in card.splits.values() for item in split]
    suspects = [item for item in items if len(item.text) + MARGIN > limit]  # a token has a character at least
    lengths = _lengths(card, input, suspects) if suspects else []
    cut = [(item, length) for item, length in zip(suspects, lengths, strict=True) if length > limit]
    if not cut:
        return []
    longest = max(length for _, length in cut)
    message = (
        f"{len(cut):,} of {counted(len(items), 'text has', 'texts have')} more than {limit:,} {input.unit}s "
        f"and are cut there; the longest has {longest:,}"
    )
    examples = [f"{item.name}: {shortened(item.text)}" for item, _ in cut[:5]]
    return [DataNote(message, kind="truncated", items=len(cut), examples=examples)]


def _lengths(card: DataCard, input: TokenInput, items: Sequence[TextItem]) -> list[int]:
    if input.unit == "character":
        return [len(item.text.strip()) for item in items]
    whole = replace(input, max_length=UNLIMITED)
    encode = encoder(text_problem("text-classification", card, whole))
    return [len(encode(item.text)) for item in items]
