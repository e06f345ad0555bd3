"""The normalizers and pre-tokenizers of a tokenizer.json as a few kinds of steps, which `steps` follows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from zoo.data.text.subword.charsmap import clusters, read_charsmap
from zoo.data.text.subword.older_unicode import ACCENTS, CONTROLS, MARKS, PUNCTUATION
from zoo.data.text.subword.patterns import SPACE_RANGES, Range, categories, class_of, pattern_of, word_characters

Part = Mapping[str, Any]
Steps = list[dict[str, Any]]
GPT2: Final = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CHINESE: Final[tuple[Range, ...]] = (
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F)),
    *((0x2B740, 0x2B81F), (0x2B920, 0x2CEAF), (0x2F800, 0x2FA1F)),
)
"""As the library has them: 2B820 to 2B91F are missing there as well."""
NMT_CONTROLS: Final[tuple[Range, ...]] = ((1, 8), (0xB, 0xB), (0xE, 0x1F), (0x7F, 0x7F), (0x8F, 0x8F), (0x9F, 0x9F))
NMT_SPACES: Final[tuple[Range, ...]] = (
    *((9, 0xA), (0xC, 0xD), (0x1680, 0x1680), (0x200B, 0x200F), (0x2028, 0x2029)),
    *((0x2581, 0x2581), (0xFEFF, 0xFEFF), (0xFFFD, 0xFFFD)),
)


def replace(pattern: str, by: str) -> dict[str, Any]:
    """Every match replaced; `by` is a template of `re`."""
    return {"do": "replace", "pattern": pattern, "by": by}


def split(pattern: str, behavior: str, *, invert: bool = False) -> dict[str, Any]:
    """A text cut around every match."""
    return {"do": "split", "pattern": pattern, "behavior": behavior, "invert": invert}


def begin(text: str, *, once: bool, first: bool = False) -> dict[str, Any]:
    """Put before a text; `once`: unless it begins so; `first`: only where nothing stands before it."""
    return {"do": "begin", "text": text, "once": once, "first": first}


def literal(text: str) -> str:
    """A text as a template of `re`."""
    return text.replace("\\", r"\\")


def _strip(part: Part) -> Steps:
    spaces = class_of(*SPACE_RANGES) + "+"
    left = [replace(rf"\A{spaces}", "")] if part["strip_left"] else []
    return left + ([replace(rf"{spaces}\Z", "")] if part["strip_right"] else [])


def _bert_normalizer(part: Part) -> Steps:
    accents = part["lowercase"] if part.get("strip_accents") is None else part["strip_accents"]
    steps = Steps()
    if part["clean_text"]:
        steps += [replace(class_of(*CONTROLS, (0xFFFD, 0xFFFD)), ""), replace(class_of(*SPACE_RANGES), " ")]
    if part["handle_chinese_chars"]:
        steps.append(replace(class_of(*CHINESE), r" \g<0> "))
    if accents:
        steps += [{"do": "form", "form": "NFD"}, replace(class_of(*ACCENTS), "")]
    return steps + ([{"do": "lower"}] if part["lowercase"] else [])


def _charsmap(part: Part) -> Steps:
    encoded = part.get("precompiled_charsmap")
    return [{"do": "charsmap", "table": read_charsmap(encoded), "clusters": clusters()}] if encoded else []


NORMALIZERS: Final[Mapping[str, Callable[[Part], Steps]]] = {
    **dict.fromkeys(("NFC", "NFD", "NFKC", "NFKD"), lambda part: [{"do": "form", "form": part["type"]}]),
    "Lowercase": lambda _: [{"do": "lower"}],
    "StripAccents": lambda _: [replace(class_of(*MARKS), "")],
    "Strip": _strip,
    "Replace": lambda part: [replace(pattern_of(part["pattern"]), literal(part["content"]))],
    "Prepend": lambda part: [begin(part["prepend"], once=False)],
    "Nmt": lambda _: [replace(class_of(*NMT_CONTROLS), ""), replace(class_of(*NMT_SPACES), " ")],
    "BertNormalizer": _bert_normalizer,
    "Precompiled": _charsmap,
    "ByteLevel": lambda _: [{"do": "bytes"}],
}
"""By the type of the part."""


def _byte_level(part: Part) -> Steps:
    steps = [begin(" ", once=True)] if part["add_prefix_space"] else []
    steps += [split(pattern_of({"Regex": GPT2}), "Isolated")] if part.get("use_regex", True) else []
    return [*steps, {"do": "bytes"}]


def _metaspace(part: Part) -> Steps:
    sign = part["replacement"]
    scheme = part.get("prepend_scheme") or ("always" if part.get("add_prefix_space", True) else "never")
    steps = [replace(" ", literal(sign))]
    if scheme != "never":
        steps.append(begin(sign, once=True, first=scheme == "first"))
    return [*steps, split(re.escape(sign), "MergedWithNext")] if part.get("split", True) else steps


def _spaces_removed(_: Part | None = None) -> Steps:
    return [split(class_of(*SPACE_RANGES), "Removed")]


def _punctuation(behavior: str) -> Steps:
    return [split(class_of(*PUNCTUATION), behavior)]


def _words(_: Part) -> Steps:
    words = class_of(*word_characters())
    others = class_of(*SPACE_RANGES, *word_characters(), negated=True)
    return [split(f"{words}+|{others}+", "Removed", invert=True)]


PRE_TOKENIZERS: Final[Mapping[str, Callable[[Part], Steps]]] = {
    "ByteLevel": _byte_level,
    "Metaspace": _metaspace,
    "BertPreTokenizer": lambda _: [*_spaces_removed(), *_punctuation("Isolated")],
    "Digits": lambda part: [
        split(class_of(*categories("N")), "Isolated" if part["individual_digits"] else "Contiguous")
    ],
    "FixedLength": lambda part: [split(rf"[\s\S]{{1,{int(part['length'])}}}", "Isolated")],
    "Whitespace": _words,
    "WhitespaceSplit": _spaces_removed,
    "Punctuation": lambda part: _punctuation(part["behavior"]),
    "CharDelimiterSplit": lambda part: [split(re.escape(part["delimiter"]), "Removed")],
    "Split": lambda part: [split(pattern_of(part["pattern"]), part["behavior"], invert=part["invert"])],
}
"""By the type of the part."""


def steps_of(part: Part | None, name: str) -> Steps:
    """The steps of a "normalizer" or "pre_tokenizer"; ValueError names a part that zoo does not know."""
    if part is None:
        return []
    if part["type"] == "Sequence":
        inner = part["normalizers" if name == "normalizer" else "pretokenizers"]
        return [step for inner_part in inner for step in steps_of(inner_part, name)]
    known = NORMALIZERS if name == "normalizer" else PRE_TOKENIZERS
    spoken = f"{name.replace('_', '-')} {part['type']}"
    if part["type"] not in known:
        raise ValueError(f"zoo does not know its {spoken}")
    try:
        return known[part["type"]](part)
    except ValueError as error:
        raise ValueError(f"its {spoken} has {error}, which zoo does not know") from error
