"""Token ids back to a text that people can read, for reports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from zoo.data.text.subword.steps import byte_signs


def decode(tokens: Iterable[int], vocabulary: Sequence[str], rules: Mapping[str, Any]) -> str:
    """The text of token ids, as far as the vocabulary can spell it, without the tokens at the ends."""
    ends = {*rules["first"], *rules["last"]}
    pieces = [vocabulary[token] for token in tokens if token not in ends]
    steps, model = [*rules["normalizer"], *rules["pre_tokenizer"]], rules["model"]
    if any(step["do"] == "bytes" for step in steps):
        codes = {sign: byte for byte, sign in enumerate(byte_signs())}
        whole = "".join(pieces)
        data = b"".join(bytes([codes[sign]]) if sign in codes else sign.encode() for sign in whole)
        return data.decode(errors="replace").strip()
    if prefix := model.get("continuing_subword_prefix"):
        return " ".join(pieces).replace(f" {prefix}", "")
    if suffix := model.get("end_of_word_suffix"):
        return "".join(pieces).replace(suffix, " ").strip()
    if model["type"] == "WordLevel":
        return " ".join(pieces)
    spelled = re.sub(r"(?:<0x[0-9A-F]{2}>)+", _bytes, "".join(pieces))
    return spelled.replace("▁", " ").strip()


def _bytes(match: re.Match[str]) -> str:
    """The text of neighbouring tokens of bytes: "<0xC3><0xA9>"."""
    return bytes(int(code, 16) for code in re.findall(r"0x(..)", match[0])).decode(errors="replace")
