"""SentencePiece's table of characters, as a tokenizer.json holds it, written out.

T. Kudo, J. Richardson, SentencePiece, arXiv:1808.06226 (2018); the double array is that of the library darts-clone
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Container, Iterable, Iterator
from functools import cache
from typing import Final

from zoo.data.text.subword.patterns import Range, categories, class_of

PREPENDED: Final = ((0x600, 0x605), (0x6DD, 0x6DD), (0x70F, 0x70F), (0x890, 0x891), (0x8E2, 0x8E2))
JOINING: Final = ((0x200C, 0x200D),)
LETTERS: Final = ((0xE33, 0xE33), (0xEB3, 0xEB3))
"""Letters that belong to the cluster before them, as marks do."""
APART: Final = frozenset(
    (0x102B, 0x102C, 0x1038, 0x1083, 0x108F, *range(0x1062, 0x1065), *range(0x1067, 0x106E), *range(0x1087, 0x108D))
)
"""Spacing marks that do not."""


def read_charsmap(encoded: str) -> dict[str, str]:
    """Each text that the table has with its replacement; ValueError for no such table."""
    data = base64.b64decode(encoded)
    try:
        (size,) = struct.unpack_from("<I", data)
        units, texts = struct.unpack_from(f"<{size // 4}I", data, 4), data[4 + size :]
        return {key.decode(): texts[start : texts.index(b"\0", start)].decode() for key, start in _entries(units)}
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"its table of characters cannot be read: {error}") from error


def _entries(units: tuple[int, ...]) -> Iterator[tuple[bytes, int]]:
    """All keys of the double array, and where their replacements start."""
    pending = [(b"", _offset(units[0]))]
    while pending:
        key, node = pending.pop()
        for byte in range(1, 256):
            child = node ^ byte
            if child < len(units) and units[child] & 0x800000FF == byte:
                unit = units[child]
                below = child ^ _offset(unit)
                if unit >> 8 & 1:
                    yield key + bytes([byte]), units[below] & 0x7FFFFFFF
                pending.append((key + bytes([byte]), below))


def _offset(unit: int) -> int:
    return (unit >> 10) << ((unit & 0x200) >> 6)


@cache
def clusters() -> str:
    """The pattern of grapheme clusters, as far as they may be shorter than six bytes (Unicode Standard Annex 29)."""
    joined = _without(categories("M"), APART)
    following = class_of(*joined, *JOINING, *LETTERS)
    others = {code for first, last in (*PREPENDED, *JOINING) for code in range(first, last + 1)}
    alone = class_of(*_without(categories("Cc", "Cf", "Zl", "Zp"), others))
    return f"\\r\\n|{alone}|{class_of(*PREPENDED)}*(?:(?!{alone})[\\s\\S]){following}*|{class_of(*PREPENDED)}+"


def _without(ranges: Iterable[Range], codes: Container[int]) -> Iterator[Range]:
    """The characters of these ranges but some."""
    return ((code, code) for first, last in ranges for code in range(first, last + 1) if code not in codes)
