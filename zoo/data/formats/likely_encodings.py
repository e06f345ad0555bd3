"""How bytes that are no UTF-8 read in the encodings that people's files are in, the likeliest first.

A detector would answer with one name and be wrong on short files: a person who sees the readings knows at once.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

LIKELY: Final = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "koi8-r", "cp866", "cp850", "mac-roman"),
    *("cp932", "cp949", "gb18030", "big5", "euc-jp"),
)
"""Of equally likely ones an earlier one comes first."""
WIDE: Final = ("utf-16-le", "utf-16-be")
"""What a file with zero bytes may be in."""
IN_WORDS: Final = "’‘'-–·"
"""Marks that stand between the letters of a word."""
UNLIKELY: Final = 0.25
"""Faults for each character above ASCII from which on a reading is none."""
AROUND: Final = 20
"""Characters that are shown before and after the first one above ASCII."""
ACCENTS: Final = 0.3
"""A fault of this size are two letters with accents: every word of a wrong reading, and some of a right one."""
EAST: Final = ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a line says in an encoding."""

    encoding: str
    text: str


def likely_readings(lines: Sequence[bytes], *, most: int = 3) -> list[Reading]:
    """The first line in up to `most` encodings that read all lines as words; those that say the same count once."""
    encodings = WIDE if any(b"\0" in line for line in lines) else LIKELY
    texts = {encoding: text for encoding in encodings if (text := _decoded(lines, encoding)) is not None}
    faults = {encoding: _faults(text) for encoding, text in texts.items()}
    readings: dict[str, Reading] = {}
    for encoding in sorted(faults, key=faults.__getitem__):
        text = texts[encoding]
        special = sum(not character.isascii() for character in text)
        if faults[encoding] <= UNLIKELY * max(special, 1):
            readings.setdefault(text, Reading(encoding, _excerpt(text.partition("\n")[0])))
    return list(readings.values())[:most]


def _decoded(lines: Sequence[bytes], encoding: str) -> str | None:
    try:
        return "\n".join(line.decode(encoding) for line in lines)
    except UnicodeDecodeError:
        return None


def _excerpt(line: str) -> str:
    """The part of a line around its first character above ASCII."""
    first = next((index for index, character in enumerate(line) if not character.isascii()), 0)
    start, end = max(first - AROUND, 0), first + AROUND
    return ("…" if start else "") + line[start:end].strip() + ("…" if end < len(line) else "")


def _faults(text: str) -> float:
    """How much speaks against a text: symbols in words, words in two scripts, small letters before large ones."""
    odd = sum(_is_odd(character) for character in text)
    mixed = sum(_mixture(first, second) for first, second in pairwise(text))
    inside = sum(
        not (mark.isascii() or mark.isalpha() or mark in IN_WORDS) and _in_word(before) and _in_word(after)
        for before, mark, after in zip(text, text[1:], text[2:], strict=False)
    )
    return odd + mixed + inside


def _in_word(letter: str) -> bool:
    return letter.isalpha() and _script(letter) != "CJK"  # whose sentences have no blanks


def _is_odd(character: str) -> bool:
    """Whether it stands in no text: controls, box drawing, half-width kana."""
    if character.isascii():
        return not (character.isprintable() or character in "\t\n\r")
    return unicodedata.category(character) in ("Cc", "Co", "Cn", "So", "Sm", "Sk") or "｡" <= character <= "ﾟ"


def _mixture(first: str, second: str) -> float:
    """How much speaks against two letters of one word: rare where both have accents, a fault in two scripts."""
    if (first.isascii() and second.isascii()) or not (first.isalpha() and second.isalpha()):
        return 0
    scripts = {_script(first), _script(second)}
    if len(scripts) > 1 or (first.islower() and second.isupper()):
        return 1
    return ACCENTS if scripts == {"LATIN"} and not (first.isascii() or second.isascii()) else 0


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "").partition(" ")[0]
    return "CJK" if name in EAST else name
