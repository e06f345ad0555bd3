"""Text to token ids and back: characters, or words and signs, by their index in a vocabulary."""

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


def token_ids(vocabulary: Sequence[str]) -> dict[str, int]:
    """The id of each token; the special entries are left out, as no text holds them."""
    return {piece: index for index, piece in enumerate(vocabulary) if index >= len(SPECIAL)}


def encode(text: str, ids: Mapping[str, int], unit: str) -> list[int]:
    """The token ids of a text."""
    return [ids.get(piece, UNKNOWN) for piece in pieces(text, unit)]


def decode(tokens: Iterable[int], vocabulary: Sequence[str]) -> str:
    """The text of token ids; the unknown token becomes the replacement character, padding nothing."""
    known = {PADDING: "", UNKNOWN: "\N{REPLACEMENT CHARACTER}"}
    return "".join(known.get(token, vocabulary[token]) for token in tokens)
