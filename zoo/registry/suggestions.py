"""The names that a misspelt one may mean, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

MAX_SUGGESTIONS: Final = 3
MIN_RATIO: Final = 0.65
"""Names that have less in common with what was typed are no suggestion."""
MIN_BEGINNING: Final = 4
"""So many characters of a name are enough to mean all names that begin with them."""


def close_names(text: str, names: Iterable[str] | Mapping[str, int], *, limit: int = MAX_SUGGESTIONS) -> list[str]:
    """The names that are nearly `text`, or begin with it, whatever the case and the `_` and `-` between their parts.

    Of names that are about equally near, those of a lower number in a mapping come first, then the nearer ones.
    """
    from difflib import SequenceMatcher  # noqa: PLC0415  only for a typing mistake

    ranks = names if isinstance(names, Mapping) else dict.fromkeys(names, 0)
    wanted, scored = _squashed(text), []
    matcher = SequenceMatcher(b=wanted)
    for name, rank in ranks.items():
        squashed = _squashed(name)
        begins = len(wanted) >= MIN_BEGINNING and squashed.startswith(wanted)
        matcher.set_seq1(squashed)
        if not begins and min(matcher.real_quick_ratio(), matcher.quick_ratio()) < MIN_RATIO:
            continue
        ratio = matcher.ratio()
        if begins or ratio >= MIN_RATIO:
            scored.append((-1.0 if begins else -round(ratio, 1), rank, -ratio, name))
    return [name for *_, name in sorted(scored)[:limit]]


def _squashed(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
