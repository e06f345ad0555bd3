"""Text to numbers and back: characters, or words and signs, by their place in a vocabulary."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

PADDING, UNKNOWN = 0, 1
SPECIAL = ("<pad>", "<unk>")
"""The first entries of every vocabulary."""
_TOKENS = re.compile(r" ?\w+|[^\w\s]|\s")


def pieces(text: str, unit: str) -> list[str]:
    """The characters of a text, or its words (each with the space before it) and signs; joined they give it back."""
    text = unicodedata.normalize("NFC", text)
    return list(text) if unit == "character" else _TOKENS.findall(text)


def numbers(vocabulary: Sequence[str]) -> dict[str, int]:
    """Place by piece; the special entries are not pieces of any text."""
    return {piece: place for place, piece in enumerate(vocabulary) if place >= len(SPECIAL)}


def encode(text: str, places: Mapping[str, int], unit: str) -> list[int]:
    """The places of a text's pieces in the vocabulary."""
    return [places.get(piece, UNKNOWN) for piece in pieces(text, unit)]


def decode(tokens: Iterable[int], vocabulary: Sequence[str]) -> str:
    """The text; what is unknown becomes the replacement character, padding nothing."""
    known = {PADDING: "", UNKNOWN: "\N{REPLACEMENT CHARACTER}"}
    return "".join(known.get(token, vocabulary[token]) for token in tokens)
