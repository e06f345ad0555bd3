"""The word pieces that training texts give a model.

Pairs of neighbouring pieces are joined, the most frequent first, as R. Sennrich et al. (arXiv:1508.07909, 2016) do and
as the library `tokenizers` trains WordPiece.  Its own training gives other pieces in every process where counts are
equal; here the smaller pair goes first, so that the same texts give the same vocabulary.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Final

from zoo.api.problem import Json
from zoo.data.text.build_vocabulary import RARE
from zoo.data.text.wordpiece import words

SPECIAL: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
RULES: Final[Mapping[str, Json]] = {
    "lowercase": False,
    "strip_accents": False,
    "chinese": True,
    "unknown": SPECIAL.index("[UNK]"),
    "first": [SPECIAL.index("[CLS]")],
    "last": [SPECIAL.index("[SEP]")],
}
"""How new vocabularies cut: cased and with accents, which tell languages apart."""

Pair = tuple[str, str]


def build_wordpieces(texts: Iterable[str], *, limit: int) -> tuple[str, ...]:
    """The special entries, the signs that the texts are written with, and the pieces joined of them, in that order."""
    counts = Counter(word for text in texts for word in words(text, RULES))
    cut = [([word[0], *(f"##{sign}" for sign in word[1:])], count) for word, count in sorted(counts.items())]
    signs: Counter[str] = Counter()
    for pieces, count in cut:
        for piece in pieces:
            signs[piece] += count
    vocabulary = dict.fromkeys((*SPECIAL, *sorted(sign for sign in signs if signs[sign] >= RARE)))
    for joined in _joined(cut):
        if len(vocabulary) >= limit:
            break
        vocabulary[joined] = None
    return tuple(vocabulary)[:limit]


def _joined(cut: list[tuple[list[str], int]]) -> Iterable[str]:
    """The pieces that arise, the most frequent pair joined first; `cut` changes with it."""
    counts: Counter[Pair] = Counter()
    positions: defaultdict[Pair, set[int]] = defaultdict(set)
    for index, (pieces, count) in enumerate(cut):
        for pair in pairwise(pieces):
            counts[pair] += count
            positions[pair].add(index)
    waiting = [(-count, pair) for pair, count in counts.items()]
    heapify(waiting)
    while waiting:
        count, pair = heappop(waiting)
        if counts[pair] != -count:
            continue  # counted anew since
        if -count < RARE:
            return
        changed = _join(pair, cut, counts, positions)
        for other in changed - {pair}:
            heappush(waiting, (-counts[other], other))
        yield _together(pair)


def _together(pair: Pair) -> str:
    return pair[0] + pair[1].removeprefix("##")


def _join(
    pair: Pair, cut: list[tuple[list[str], int]], counts: Counter[Pair], positions: defaultdict[Pair, set[int]]
) -> set[Pair]:
    """Join a pair wherever it stands; the pairs whose counts are others now."""
    changed: set[Pair] = set()
    for index in positions.pop(pair):
        pieces, count = cut[index]
        before = Counter(pairwise(pieces))
        _replace(pieces, pair)
        after = Counter(pairwise(pieces))
        for other in before | after:
            counts[other] += count * (after[other] - before[other])
            if after[other] != before[other]:
                changed.add(other)
            if after[other]:
                positions[other].add(index)
    del counts[pair]
    return changed


def _replace(pieces: list[str], pair: Pair) -> None:
    index = 0
    while index < len(pieces) - 1:
        if (pieces[index], pieces[index + 1]) == pair:
            pieces[index : index + 2] = [_together(pair)]
        index += 1
