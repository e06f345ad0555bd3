"""Texts to token ids by a tokenizer.json: added tokens, steps, model, and the tokens at the ends.

The rules are the problem's fact "tokenizer", which `tokenizer_json` makes.  The answers are those of the library, but
for signs that are younger than a table of Unicode: Python's for their classes, the library's for normal forms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from zoo.data.text.subword.models import MODELS
from zoo.data.text.subword.steps import split_text

MAX_KNOWN_PIECES = 20_000
"""Pieces whose tokens are remembered."""


def subword_encoder(vocabulary: Sequence[str], rules: Mapping[str, Any]) -> Callable[[str, int], list[int]]:
    """The function from a text and the most tokens it may have to its token ids, those at the ends among them.

    Longer texts lose tokens at their end, as the library truncates.  An unpaired surrogate, which the library does not
    take, is read as U+FFFD.
    """
    only_added, known = {*rules["only_added"]}, dict[str, list[int]]()
    ids = {token: index for index, token in enumerate(vocabulary) if index not in only_added}
    cut, first, last = MODELS[rules["model"]["type"]](rules["model"], ids), rules["first"], rules["last"]

    def tokens_of(piece: str) -> list[int]:
        if len(known) >= MAX_KNOWN_PIECES:
            known.clear()
        if piece not in known:
            known[piece] = cut(piece)
        return known[piece]

    def encode(text: str, longest: int) -> list[int]:
        tokens, text = list[int](), re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)
        for start, raw, added in _found(text, rules["added"]["raw"]):
            normal = "" if added else "".join(split_text(raw, rules["normalizer"], first=True))
            at_start = start == 0 and bool(split_text(raw[:1], rules["normalizer"], first=True))
            tokens += [added["id"]] if added else []
            for begin, part, token in _found(normal, rules["added"]["normalized"]):
                pieces = split_text(part, rules["pre_tokenizer"], first=at_start and begin == 0)
                tokens += [token["id"]] if token else [one for piece in pieces for one in tokens_of(piece)]
        return [*first, *tokens[: max(longest - len(first) - len(last), 0)], *last]

    return encode


def _found(text: str, added: Mapping[str, Any]) -> Iterator[tuple[int, str, Mapping[str, Any] | None]]:
    """The parts of a text, each with its start: the added tokens in it, and with None what is between them."""
    start = 0
    for match in re.finditer(added["pattern"], text) if added["pattern"] else ():
        token, begin, end = added["tokens"][match[0]], match.start(), match.end()
        around = (text[begin - 1 : begin], text[end : end + 1])
        if token["single_word"] and any(sign and re.match(added["word"], sign) for sign in around):
            continue
        if token["lstrip"]:
            begin = max(len(text[:begin].rstrip(added["space"])), start)
        if token["rstrip"]:
            end = len(text) - len(text[end:].lstrip(added["space"]))
        if start < begin:
            yield start, text[start:begin], None
        yield begin, text[begin:end], token
        start = end
    if start < len(text):
        yield start, text[start:], None
