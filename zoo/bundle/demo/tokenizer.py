"""The rules of a tokenizer.json for JavaScript: the same steps, with patterns that its regular expressions understand.

The patterns of a problem are Python's (`zoo.data.text.subword.patterns`), with every class of Unicode written out, so
that nothing depends on the tables of a browser.  Each sign keeps its meaning here under the flag `u`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import groupby
from typing import Any, Final

_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{(\d*)(,?)(\d*)\})(\+|\??)")
_GROUP: Final = re.compile(r"\((?:\?(?::|=|!|<=|<!|i:))?")
_CODE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_TEMPLATE: Final = re.compile(r"\\g<0>|\\\\|[^\\]+")
KEPT_ESCAPES: Final = "rntfvsS"
"""Escapes that mean the same; `\\s` and `\\S` stand only together in zoo's own patterns, for any sign."""


def javascript_rules(rules: Mapping[str, Any]) -> dict[str, Any]:
    """The fact "tokenizer" of a problem for script/subword.mjs; ValueError names what JavaScript cannot match."""
    added = {name: _added(table) for name, table in rules["added"].items()}
    steps = {name: [_step(step) for step in rules[name]] for name in ("normalizer", "pre_tokenizer")}
    return {**rules, **steps, "added": added}


def javascript_pattern(pattern: str) -> str:
    """A pattern of Python's `re` for a RegExp with the flag `u`; ValueError for what has no equal there."""
    return "".join(_translated(pattern))


def _added(table: Mapping[str, Any]) -> dict[str, Any]:
    return {**table, "pattern": javascript_pattern(table["pattern"]), "word": javascript_pattern(table["word"])}


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    patterns = {name: javascript_pattern(step[name]) for name in ("pattern", "clusters") if name in step}
    by = {"by": _template(step["by"])} if step["do"] == "replace" else {}
    return {**step, **patterns, **by}


def _template(by: str) -> list[str | None]:
    """What replaces a match in parts; None stands for the match itself."""
    parts = _TEMPLATE.findall(by)
    if "".join(parts) != by:
        raise ValueError(f"its replacement {by!r} names groups")
    return [{r"\g<0>": None, "\\\\": "\\"}.get(part, part) for part in parts]


def _translated(pattern: str) -> Iterator[str]:
    at, groups, asserted = 0, [(False, False)], False
    while at < len(pattern):  # of each open group: whether it takes small letters for large ones, whether it asserts
        if opened := _GROUP.match(pattern, at):
            if pattern.startswith("(?", at) and opened[0] == "(":
                raise ValueError(f"the group {pattern[at : at + 3]}")
            ignoring = opened[0] == "(?i:"
            yield "(?:" if ignoring else opened[0]
            groups.append((groups[-1][0] or ignoring, opened[0][-1] in "=!"))
            end = opened.end()
        elif pattern[at] in ")|":
            yield pattern[at]
            end = at + 1
        elif (quantifier := _QUANTIFIER.match(pattern, at)) and quantifier[0] != "{}":
            if asserted:
                raise ValueError(f"a repeated assertion before {quantifier[0]}")
            yield _quantifier(quantifier)
            end = quantifier.end()
        else:
            end = _item_end(pattern, at)
            yield _either_case(pattern[at:end]) if groups[-1][0] else _item(pattern[at:end])
        asserted = pattern[at] == ")" and groups.pop()[1]
        at = end


def _quantifier(match: re.Match[str]) -> str:
    if match[4] == "+":
        raise ValueError(f"the possessive repetition {match[0]}")
    if match[1] is None:
        return match[0]
    least, comma, most = match[1] or "0", match[2], match[3]
    return f"{{{least}{comma}{most}}}{match[4]}"


def _item_end(pattern: str, at: int) -> int:
    """The end of one sign, escape or class."""
    if pattern[at] == "\\":
        code = _CODE.match(pattern, at)
        return code.end() if code else at + 2
    if pattern[at] != "[":
        return at + 1
    end = at + 1 + pattern.startswith("^", at + 1)
    end += pattern.startswith("]", end)  # the first sign of a class is itself
    while pattern[end] != "]":
        end += 2 if pattern[end] == "\\" else 1
    return end + 1


def _item(item: str) -> str:
    """One sign, escape or class."""
    if item[0] == "[":
        negated = item.startswith("[^")
        return f"[{'^' * negated}{''.join(_class_signs(item[1 + negated : -1]))}]"
    if item == ".":
        return r"[^\n]"
    return {r"\A": "^", r"\Z": "$"}.get(item) or _sign(item)


def _class_signs(inside: str) -> Iterator[str]:
    at = 0
    while at < len(inside):
        end = _item_end(inside, at) if inside[at] == "\\" else at + 1
        yield "-" if inside[at:end] == "-" else _sign(inside[at:end])
        at = end


def _sign(item: str) -> str:
    """A sign or an escape of one, spelled so that nothing is read as a sign with a meaning."""
    if code := _CODE.fullmatch(item):
        return f"\\u{{{code[1]}}}"
    if item[0] == "\\" and item[1] in KEPT_ESCAPES:
        return item
    bare = item[-1]
    return bare if bare.isascii() and bare.isalnum() else f"\\u{{{ord(bare):x}}}"


@cache
def _all_signs() -> str:
    return "".join(chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000)


@cache
def _either_case(item: str) -> str:
    """A class of all signs that an item matches where small and large letters are the same."""
    if item in (r"\A", r"\Z"):
        return _item(item)
    codes = map(ord, re.findall(f"(?i:{item})", _all_signs()))
    runs = groupby(enumerate(codes), lambda pair: pair[1] - pair[0])  # neighbours differ by as much as their places
    ends = [(run[0][1], run[-1][1]) for run in ([*pairs] for _, pairs in runs)]
    return "[" + "".join(f"\\u{{{first:x}}}-\\u{{{last:x}}}" for first, last in ends) + "]"
