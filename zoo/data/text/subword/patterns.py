"""Regular expressions of a tokenizer.json for Python's `re`, and what the library means by its character classes.

The library's expressions are Oniguruma's: `\\p{L}` is a class of Unicode, and `\\s` its White_Space.  Python's `re` has
neither, so classes are written out, by the categories that `unicodedata` knows.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import groupby

SPACES = (*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
WHITE_SPACE = "".join(map(chr, SPACES))
"""Unicode's White_Space; Python's own `isspace` has four controls more."""
LETTERS_AMONG_SYMBOLS = ((0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189))
JOINERS = ((0x200C, 0x200D),)
_PROPERTY = re.compile(r"\\([pP])\{(\^?)([A-Z][a-z]?)\}")
_GROUPS = re.compile(r"\(\?(?:[:=!>]|<[=!]|i:)")
_PLAIN_ESCAPES = "rntfv\\.|?*+()[]{}^$-/'\" #&~!@%:;,=<>`_"
Range = tuple[int, int]


@cache
def _runs() -> tuple[tuple[int, int, str], ...]:
    """All characters in runs of one category: first, last, category."""
    runs = []
    for category, run in groupby(range(sys.maxunicode + 1), lambda code: unicodedata.category(chr(code))):
        codes = list(run)
        runs.append((codes[0], codes[-1], category))
    return tuple(runs)


def _inside(ranges: Iterable[Range]) -> str:
    """The inside of a class of `re`."""

    def sign(code: int) -> str:
        return re.escape(chr(code)) if 0x20 <= code < 0xD800 or code > 0xFFFF else f"\\u{code:04x}"

    merged = list[Range]()
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return "".join(sign(first) if first == last else f"{sign(first)}-{sign(last)}" for first, last in merged)


@cache
def categories(*names: str) -> tuple[Range, ...]:
    """The characters of these categories: "L", "Nd"."""
    return tuple((first, last) for first, last, category in _runs() if category.startswith(names))


@cache
def word_characters() -> tuple[Range, ...]:
    """What `\\w` means to Unicode: letters, marks, decimal digits, connectors and joiners."""
    return (*categories("L", "M", "Nd", "Nl", "Pc"), *LETTERS_AMONG_SYMBOLS, *JOINERS)


SPACE_RANGES: tuple[Range, ...] = tuple((code, code) for code in SPACES)


def class_of(*ranges: Range, negated: bool = False) -> str:
    """A class of `re` with these characters, or with all others."""
    return f"[{'^' * negated}{_inside(ranges)}]"


def python_pattern(pattern: str) -> str:
    """The same expression for `re`; ValueError names what has another meaning there, or none."""
    parts, at, in_class = list[str](), 0, False
    while at < len(pattern):
        sign = pattern[at]
        if sign == "\\":
            part, at = _escape(pattern, at, in_class=in_class)
            parts.append(part)
            continue
        if in_class and (sign == "[" or pattern.startswith("&&", at)):
            raise ValueError(f"a class inside a class in {pattern!r}")
        if not in_class and sign in "^$":
            raise ValueError(f"the anchor {sign} in {pattern!r}")
        if not in_class and pattern.startswith("(?", at) and not _GROUPS.match(pattern, at):
            raise ValueError(f"the group {pattern[at : at + 4]} in {pattern!r}")
        at += 1
        if sign == "[" and not in_class:
            in_class = True
            if pattern.startswith("^", at):
                sign, at = "[^", at + 1
        elif sign == "]":
            in_class = False
        parts.append(sign)
    try:
        re.compile(found := "".join(parts))
    except re.error as error:
        raise ValueError(f"{pattern!r}: {error}") from error
    return found


def _escape(pattern: str, at: int, *, in_class: bool) -> tuple[str, int]:
    """An escape at a position, for `re`, and the position after it."""
    if found := _PROPERTY.match(pattern, at):
        negated = (found[1] == "P") != bool(found[2])
        return _class(categories(found[3]), negated=negated, in_class=in_class), found.end()
    sign = pattern[at + 1 : at + 2]
    known: Mapping[str, Callable[[], tuple[Range, ...]]] = {
        "s": lambda: SPACE_RANGES,
        "d": lambda: categories("Nd"),
        "w": word_characters,
    }
    if sign and sign.lower() in known:
        return _class(known[sign.lower()](), negated=sign.isupper(), in_class=in_class), at + 2
    if sign and sign in _PLAIN_ESCAPES:
        return "\\" + sign, at + 2
    raise ValueError(f"{pattern[at : at + 8]!r} in {pattern!r}")


def _class(ranges: Iterable[Range], *, negated: bool, in_class: bool) -> str:
    if not in_class:
        return class_of(*ranges, negated=negated)
    return _inside(_others(ranges) if negated else ranges)


def _others(ranges: Iterable[Range]) -> Iterable[Range]:
    """All characters but these."""
    start = 0
    for first, last in sorted(ranges):
        if first > start:
            yield start, first - 1
        start = max(start, last + 1)
    yield start, sys.maxunicode


def pattern_of(pattern: Mapping[str, str]) -> str:
    """A pattern of a tokenizer.json for `re`: {"String": ...} or {"Regex": ...}."""
    return re.escape(pattern["String"]) if "String" in pattern else python_pattern(pattern["Regex"])
