"""The names that a misspelt one may mean, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Final

MAX_SUGGESTIONS: Final = 3
MIN_RATIO: Final = 0.65
"""Names that have less in common with what was typed are no suggestion."""
MIN_FAMILY_RATIO: Final = 0.45
"""The same for names that begin with the same word: `unet_tiny` for `unet_small`."""
NEARLY_EQUAL: Final = 0.92
"""Names that have so much in common come before those that begin with the same word."""
MIN_BEGINNING: Final = 4
"""So many characters of a name are enough to mean all names that begin with them."""


def close_names(text: str, names: Iterable[str] | Mapping[str, int], *, limit: int = MAX_SUGGESTIONS) -> list[str]:
    """The names that are nearly `text`, or begin with it, whatever the case and the `_` and `-` between their parts.

    First those that are nearly equal, then those that begin with the same word, then others.  Of names that are about
    equally near, those of a lower number in a mapping come first, then the nearer ones.
    """
    from difflib import SequenceMatcher  # noqa: PLC0415  only for a typing mistake

    ranks = names if isinstance(names, Mapping) else dict.fromkeys(names, 0)
    wanted, word, scored = _squashed(text), _first_word(text), []
    matcher = SequenceMatcher(b=wanted)
    for name, rank in ranks.items():
        squashed = _squashed(name)
        begins = len(wanted) >= MIN_BEGINNING and squashed.startswith(wanted)
        of_family = bool(word) and word == _first_word(name)
        least = 0.0 if begins else MIN_FAMILY_RATIO if of_family else MIN_RATIO
        matcher.set_seq1(squashed)
        if min(matcher.real_quick_ratio(), matcher.quick_ratio()) < least:
            continue
        ratio = matcher.ratio()
        if ratio >= least:
            group = 0 if begins or ratio >= NEARLY_EQUAL else 1 if of_family else 2
            scored.append((group, -1.0 if begins else -round(ratio, 1), rank, -ratio, name))
    return [name for *_, name in sorted(scored)[:limit]]


def _first_word(name: str) -> str:
    """Its letters before the first digit or sign, in lower case."""
    return "".join(takewhile(str.isalpha, name.lower()))


def _squashed(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
