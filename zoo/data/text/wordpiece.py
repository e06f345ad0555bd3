"""Text cut as BERT cuts it: cleaned, split at spaces and signs, every word into the longest pieces that are known.

    J. Devlin et al., BERT, arXiv:1810.04805 (2019); the pieces: Y. Wu et al., arXiv:1609.08144 (2016), section 4.1

The rules are the problem's fact "tokenizer": whether to lowercase and to strip_accents, whether a chinese sign is a
word, the number of the unknown token, and those of the tokens put first and last.  No text can spell a special token:
"[SEP]" is three words.  The answers are those of the library `tokenizers`, but for some 500 rare signs that are
younger than its tables of Unicode.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

LONGEST_WORD = 100
_CHINESE = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF), (0x2A700, 0x2B81F))
_RARE_CHINESE = ((0x2B920, 0x2CEAF), (0x2F800, 0x2FA1F))  # 2B820 to 2B91F are missing in the library as well


def _cleaned(sign: str, chinese: bool) -> str:
    kind = unicodedata.category(sign)
    if sign in "\t\n\r" or kind[0] == "Z":
        return " "
    if sign == "\N{REPLACEMENT CHARACTER}" or kind in ("Cc", "Cf", "Co", "Cs"):
        return ""
    alone = chinese and any(low <= ord(sign) <= high for low, high in _CHINESE + _RARE_CHINESE)
    return f" {sign} " if alone else sign


def words(text: str, rules: Mapping[str, Any]) -> list[str]:
    """The words of a text; every sign is a word of its own."""
    text = "".join(_cleaned(sign, rules["chinese"]) for sign in text)
    if rules["strip_accents"]:
        text = "".join(sign for sign in unicodedata.normalize("NFD", text) if unicodedata.category(sign) != "Mn")
    if rules["lowercase"]:
        text = "".join(map(str.lower, text))  # sign by sign: a sigma stays what it is at the end of a word
    apart = (sign in "$+<=>^`|~" or unicodedata.category(sign)[0] == "P" for sign in text)
    return "".join(f" {sign} " if alone else sign for sign, alone in zip(text, apart, strict=True)).split()


def _longest(word: str, ids: Mapping[str, int]) -> Iterator[int]:
    """The ids of the longest pieces, from the left; -1 where no piece fits."""
    at, end = 0, len(word)
    while at < end <= LONGEST_WORD:
        piece = "##"[: 2 * at] + word[at:end]
        if piece in ids:
            yield ids[piece]
            at, end = end, len(word)
        else:
            end -= 1
    if at < len(word):
        yield -1


def encode_wordpieces(text: str, ids: Mapping[str, int], rules: Mapping[str, Any], longest: int) -> list[int]:
    """The token ids of a text, cut at the longest length; a word that no pieces make up is one unknown token."""
    words_cut = (list(_longest(word, ids)) for word in words(text, rules))
    tokens = [token for cut in words_cut for token in ([rules["unknown"]] if -1 in cut else cut)]
    first, last = rules["first"], rules["last"]
    return [*first, *tokens[: longest - len(first) - len(last)], *last] if tokens else []
