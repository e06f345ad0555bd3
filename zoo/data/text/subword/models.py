"""The models of a tokenizer.json: functions from a piece of text to token ids.

BPE: R. Sennrich et al., arXiv:1508.07909 (2016); Unigram: T. Kudo, arXiv:1804.10959 (2018)
WordPiece: Y. Wu et al., arXiv:1609.08144 (2016)
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from itertools import pairwise
from math import inf
from typing import Any

Ids = Mapping[str, int]
Cut = Callable[[str], list[int]]
UNKNOWN_PENALTY = 10.0
"""A character that no piece of a Unigram holds costs so much more than its rarest piece."""


def _bytes(text: str, ids: Ids, model: Mapping[str, Any]) -> list[int]:
    """The tokens of a text's bytes, "<0x0A>"; none where one of them has no token, or the model has no such."""
    tokens = [ids.get(f"<0x{byte:02X}>", -1) for byte in text.encode()] if model.get("byte_fallback") else [-1]
    return [] if -1 in tokens else tokens


def _bpe(model: Mapping[str, Any], ids: Ids) -> Cut:
    """Signs of a word, joined in the order of the merges."""
    prefix, suffix = model.get("continuing_subword_prefix") or "", model.get("end_of_word_suffix") or ""
    merges = {(ids[left], ids[right]): (rank, ids[left + right.removeprefix(prefix)])
              for rank, (left, right) in enumerate(model["merges"])}  # fmt: skip
    unknown = [] if model.get("unk_token") is None else [ids[model["unk_token"]]]

    def cut(word: str) -> list[int]:
        if model.get("ignore_merges") and word in ids:
            return [ids[word]]
        tokens, pending = list[int](), list[int]()
        for at, bare in enumerate(word):
            sign = (prefix if at else "") + bare + (suffix if at == len(word) - 1 else "")
            if sign in ids:
                tokens += [*pending, ids[sign]]
                pending = []
            elif spelled := _bytes(sign, ids, model):
                tokens += spelled  # before an unknown sign that is pending, as in the library
            else:
                tokens += [] if model.get("fuse_unk") else pending
                pending = unknown
        return _merged(tokens + pending, merges)

    return cut


def _merged(tokens: list[int], merges: Mapping[tuple[int, int], tuple[int, int]]) -> list[int]:
    """Tokens after all merges, those of the lowest rank first, from the left."""
    after, before = [*range(1, len(tokens)), -1], [*range(-1, len(tokens) - 1)]
    queue = [(merges[pair][0], at, merges[pair][1]) for at, pair in enumerate(pairwise(tokens)) if pair in merges]
    heapq.heapify(queue)
    while queue:
        _, at, joined = heapq.heappop(queue)
        right = after[at]
        if right < 0 or merges.get((tokens[at], tokens[right]), (0, -1))[1] != joined:
            continue  # one of the two has been joined with another
        tokens[at], tokens[right], after[at] = joined, -1, after[right]
        if after[at] >= 0:
            before[after[at]] = at
        for left, following in ((before[at], at), (at, after[at])):
            pair = (tokens[left], tokens[following])
            if left >= 0 and following >= 0 and pair in merges:
                heapq.heappush(queue, (merges[pair][0], left, merges[pair][1]))
    return [token for token in tokens if token >= 0]


def _unigram(model: Mapping[str, Any], ids: Ids) -> Cut:
    """The likeliest pieces (Viterbi)."""
    scores, unknown, longest = model["scores"], int(model["unk_id"]), dict[str, int]()
    score_of, least = {piece: scores[index] for piece, index in ids.items()}, min(scores) - UNKNOWN_PENALTY
    for piece in ids:
        longest[piece[:1]] = max(longest.get(piece[:1], 0), len(piece))

    def cut(text: str) -> list[int]:
        best, begins = [0.0] + [-inf] * len(text), [0] * (len(text) + 1)
        for start, sign in enumerate(text):
            for end in range(start + 1, min(start + max(longest.get(sign, 0), 1), len(text)) + 1):
                score = best[start] + score_of.get(text[start:end], least if end == start + 1 else -inf)
                if score > best[end]:
                    best[end], begins[end] = score, start
        pieces, end = list[str](), len(text)
        while end:
            pieces.append(text[begins[end] : end])
            end = begins[end]
        return spelled(pieces[::-1])

    def spelled(pieces: list[str]) -> list[int]:
        tokens, pending = list[int](), ""
        for piece in (*pieces, ""):
            if piece and ids.get(piece, unknown) == unknown:
                pending += piece  # unknown neighbours are one token, or their bytes
                continue
            if pending:
                tokens += (pending not in ids and _bytes(pending, ids, model)) or [ids.get(pending, unknown)]
            tokens += [ids[piece]] if piece else []
            pending = ""
        return tokens

    return cut


def _word_piece(model: Mapping[str, Any], ids: Ids) -> Cut:
    """The longest pieces from the left; one unknown token for a word that no pieces make up."""
    prefix, unknown = model["continuing_subword_prefix"], [ids[model["unk_token"]]]

    def cut(word: str) -> list[int]:
        tokens, start = list[int](), 0
        while start < len(word) <= model["max_input_chars_per_word"]:
            begin = prefix if start else ""
            end = next((end for end in range(len(word), start, -1) if begin + word[start:end] in ids), 0)
            if not end:
                return unknown
            tokens.append(ids[begin + word[start:end]])
            start = end
        return tokens or unknown

    return cut


MODELS: Mapping[str, Callable[[Mapping[str, Any], Ids], Cut]] = {
    "BPE": _bpe,
    "Unigram": _unigram,
    "WordPiece": _word_piece,
    "WordLevel": lambda model, ids: lambda word: [ids.get(word, ids[model["unk_token"]])],
}
"""By the type of the model."""
