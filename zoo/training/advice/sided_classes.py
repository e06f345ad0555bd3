"""Classes that a mirror makes into others, by their names: characters, numbers, sides, senses of rotation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

SIDED: Final = frozenset(
    (
        *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
        *("digit", "digits", "letter", "letters", "char", "character", "number", "numeral", "glyph", "arrow", "sign"),
        *("left", "right", "turn", "lefthand", "righthand", "leftward", "rightward", "leftwards", "rightwards"),
        *("leftbound", "rightbound", "eastbound", "westbound", "east", "west", "lhs", "rhs", "ltr", "rtl"),
        *("clockwise", "counterclockwise", "anticlockwise", "cw", "ccw"),
        *("links", "rechts", "gauche", "droite", "izquierda", "izquierdo", "derecha", "derecho"),
        *("sinistra", "sinistro", "destra", "destro", "esquerda", "esquerdo", "direita", "direito"),
    )
)
"""Words in a class that the mirror changes: numbers, characters, sides in a few languages, senses of rotation."""


def sided_class(classes: Sequence[str]) -> str:
    """The first class named like a character, a number or a side; empty where there is none."""
    for name in classes:
        words = _words(name)
        if not words or any(word.isdecimal() or len(word) == 1 or word in SIDED for word in words):
            return name
    return ""


def _words(name: str) -> list[str]:
    """The words of a class's name, without accents: turn and left of turnLeft, digit of digit3.

    Empty where it has none in Latin letters.
    """
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain).lower()
    words = [word for word in re.split(r"[^0-9a-z]+", spaced) if word]
    numbered = [match[1] for word in words if (match := re.fullmatch(r"([a-z]{2,})\d{1,3}", word))]
    sides = [side for side in ("left", "right") for word in words if word.startswith(side)]
    return [*words, *numbered, *sides]
