"""Small tokenizers of every kind that zoo reads, trained with the library, and texts that are hard to cut."""

from __future__ import annotations

import base64
import json
import random
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, processors, trainers
from tokenizers import pre_tokenizers as pre

from zoo.data.embedded.names import names

CHARSMAP = zlib.decompress(
    base64.b64decode(
        "eNod03dM1GAcxvHnKv6BhsTEaGKC5txbA27jnnEv3AsXinvvcYeHLAe4t4AoIKIgooLgOndOxX3nFjSOuCduv6XJp8/v7a9p37Zv"
        "5SXJKnl7SyWKSxbJ5rIa8iknRTIuZY5lyO4jlaZOLS9zs9GyRTWSYgoNpQyXYukX45idPqUtm11ZMq6lVJJMLyM5HIZyB0tNGfua"
        "F5lsqAJZEftdhiqTlVAVVVAd1VATNVAbtVAXdVAf9ZAbaCjH11ADan8wLTVEEzRGMxXdU0cDDDUnmZJaoDVaoS3aoD3aoSM6oDM6"
        "oYt5jpehbmRX9EB39EJP9EFv9ENf9EcABmIAeGQNwlAMAa9LwzASIzAKgRiD0RiHsRiPIARjAiZhIqaY5yQYmkZOxQxMxyzMxBzM"
        "xjzMxQLMxyIsxBIsxjIshd38FliOEITCgTCsQATCEYVIrMJKrMFqxCAa67AWG7Aem7ARW7AZ27AVO7Adu7ATcYjFbsRjDxKQiL1I"
        "RhJSsA+p5nrBQRxAOtKQgUPIxGHze+MIsnAMx5Ftrhfk4CRO4DROwYkzOIezuIDzuISLZi/NosvkFbhwDVdxHXm4iRu4jVu4izvw"
        "wI37uIeHeIDHeISneIIC5OM5nuEF3idZ9Ip8afbyLHpNvsUbs4d3+IgP+IxP+Iov+I5v+IFC/MJP/MFv/MNfFf3/fvLLtzv8+RWC"
        "guUMlTNZ7kyPwxNhdScSDk+Y1Z1FRFJ4wt0ZlKEqCInXf6iftgk="
    )
)
"""A table that SentencePiece compiled: a dozen rules, among them fi, Å, é, a line's end, a soft hyphen."""
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
    r"\s+(?!\S)|\s+"
)
CLIP = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
ENDS = ("<s>", "</s>", "<unk>", "<pad>")
HOSTILE = (
    *("", " ", " \t\n ", "   leading", "trailing   ", "a  b   c    d", "\r\n\r\n  \n\n a\r\nb"),
    "İstanbul ΌΔΟΣ ǅ ﬁn ß STRAẞE ſ Ångström A\N{COMBINING RING ABOVE}",
    "e\N{COMBINING ACUTE ACCENT}\N{COMBINING DIAERESIS} ﬁ\N{COMBINING ACUTE ACCENT} \N{COMBINING ACUTE ACCENT}start",
    "zero\N{ZERO WIDTH SPACE}width\N{ZERO WIDTH JOINER}join\N{SOFT HYPHEN}ed \N{BYTE ORDER MARK}x",
    "北京市 and 東京 한국어 ไทย หิน้ำ हिन्दी עברית مرحبا ﷺ \u0600\u0661",
    "a\N{NO-BREAK SPACE}b\N{IDEOGRAPHIC SPACE}c\N{LINE SEPARATOR}d\x85e\x1cf\x00g\N{REPLACEMENT CHARACTER}h\x0bi\x7fj",
    "[CLS] [SEP] [UNK] ##ing <s> </s><mask> <unk>  <mask>x a<mask> seven o'clock, o'clocks",
    "don't... (really?!) «quoted» „so“ $5+5=10^1 `x`|~ a_b-c/d I'LL we'VE \\g<0> \\1",
    "😀👩‍👩‍👧‍👦🇫🇮 ©\N{ZERO WIDTH JOINER} 1️⃣ ∑∞ №1 ½ ² Ⅷ ① 12345 ١٢٣ ｱ Ａ",
    "\N{RIGHT-TO-LEFT OVERRIDE}txet \ue000private \U000f0000 ▁under▁score ▁ a",
    *("x" * 101, "a" * 3000, "ab" * 700, " " * 500 + "x" + " " * 500),
)


HARD_PARTS = (
    *("<s>", "</s>", "<mask>", "<unk>", "o'clock", "[CLS]", "[UNK]", "##ing", "the", "Don't", "don’t", "'ll", "I'M"),
    *("ſ", "\N{KELVIN SIGN}", "İ", "ß", "ΑΣ", "ς", "é", "ﬁ", "ﷺ", "ǅ", "ᾳ", "Ꭰ", "ꭰ", "ẞ", "ı", "i\u0307"),
    *("a\u0301\u0323", "\u0344", "\u2126", "\u212b", "\u0e33", "ก็", "हिन्दी", "ﾞ", "한", "\u1100\u1161\u11a8", "각"),
    *("👩\u200d👩\u200d👧\u200d👦", "👨🏽\u200d💻", "🇫🇮🇩", "1️⃣", "😀", "\U0001faf7", "\ufe0f", "\u20e3", "\u0301"),
    *("\u200d", "\u200c", "\u200b", "\ufeff", "\u202e", "\u2066", "\u061c", "\u00ad", "\u034f", "\u115f", "\u3164"),
    *("\x00", "\x01", "\x1c", "\x1f", "\x7f", "\x9f", "\t", "\n", "\r\n", "\r", " ", "  ", "\x85", "\xa0", "\u3000"),
    *("\u2028", "\u2029", "\U000e0001", "\U0010ffff", "\ufffe", "\uffff", "\ufffd", "\ue000", "\U0001d165", "\ua9c0"),
    *("_", "▁", "▁▁", "Ġ", "Ċ", "x" * 120, "0", "１", "²", "½", "Ⅷ", "٣", "〇", "三", "京", "\U0002b820", "\U00020000"),
    *(
        "，",
        "。",
        "¿",
        "«",
        "$",
        "^",
        "`",
        "~",
        "+",
        "-",
        "—",
        "'",
        "’",
        '"',
        "\\",
        "\\1",
        "{",
        "}",
        "\u166d",
        "\u2e52",
    ),
    *("\u061d", "\u1cf2", "\u1734"),
)


@cache
def corpus() -> tuple[str, ...]:
    """What all of them are trained on."""
    own = [name for name, _ in names("train")][:1500]
    return (*own, *("Don't stop; it's 3.14 o'clock!! def f(x):\n    return x\t+ 1", "北京市 हिन्दी עברית مرحبا é ½") * 3)


def random_text(seed: int) -> str:
    """Letters of many scripts, marks, spaces and signs."""
    draw = random.Random(seed)
    ranges = ((32, 127), (0xA0, 0x250), (0x300, 0x370), (0x370, 0x600), (0x900, 0x980), (0x2000, 0x2100))
    wide = (*ranges, (0x4E00, 0x4F00), (0x1F600, 0x1F650), (0xFF00, 0xFFEF), (32, 127), (32, 127), (9, 14))
    return "".join(chr(draw.randrange(*draw.choice(wide))) for _ in range(draw.randrange(1, 40)))


def hostile_text(seed: int) -> str:
    """Parts that are hard to cut, one behind the other: marks, joiners, controls, spaces and added tokens in words."""
    draw = random.Random(seed)
    parts = list[str]()
    for _ in range(draw.randrange(1, 14)):
        parts.append(draw.choice(HARD_PARTS))
        if draw.random() < 0.3:
            parts.append(draw.choice(" \n\t"))
        if draw.random() < 0.3:
            parts.append("".join(draw.choice("abcdeorstABCDEORST") for _ in range(draw.randrange(1, 9))))
    return "".join(parts)


def with_added(tokenizer: Tokenizer) -> Tokenizer:
    """With special tokens, one that takes the spaces before it, and a whole word."""
    tokenizer.add_special_tokens([*ENDS, AddedToken("<mask>", lstrip=True, special=True)])
    tokenizer.add_tokens([AddedToken("o'clock", single_word=True, normalized=True)])
    return tokenizer


def byte_level_bpe() -> Tokenizer:
    """GPT-2's and RoBERTa's."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre.ByteLevel(add_prefix_space=True)
    alphabet = pre.ByteLevel.alphabet()
    train(made, trainers.BpeTrainer(vocab_size=500, initial_alphabet=alphabet, special_tokens=[*ENDS]))
    made.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0))
    return with_added(made)


def llama3() -> Tokenizer:
    """The same behind a pattern of its own."""
    made = byte_level_bpe()
    level = pre.ByteLevel(add_prefix_space=False, use_regex=False)
    made.pre_tokenizer = pre.Sequence([pre.Split(Regex(LLAMA3), "isolated"), level])
    made.normalizer = normalizers.NFC()
    ends = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    made.post_processor = processors.Sequence([processors.ByteLevel(), ends])
    return made


def llama2() -> Tokenizer:
    """BPE of characters, and of bytes where one has no token."""
    made = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    train(made, trainers.BpeTrainer(vocab_size=500, special_tokens=special, limit_alphabet=60))
    return with_added(made)


def clip() -> Tokenizer:
    """BPE with a mark at the end of a word."""
    made = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    spaces = normalizers.Replace(Regex(r"\s+"), " ")
    made.normalizer = normalizers.Sequence([normalizers.NFC(), spaces, normalizers.Lowercase()])
    made.pre_tokenizer = pre.Split(Regex(CLIP), "removed", invert=True)
    train(made, trainers.BpeTrainer(vocab_size=400, special_tokens=["<unk>"], end_of_word_suffix="</w>"))
    return with_added(made)


def bpe_with_prefix() -> Tokenizer:
    """BPE with a mark inside of a word, and an unknown token for each unknown sign."""
    made = Tokenizer(models.BPE(unk_token="<unk>", continuing_subword_prefix="##"))
    made.pre_tokenizer = pre.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<unk>"], continuing_subword_prefix="##", limit_alphabet=50
    )
    return train(made, trainer)


def unigram(normalizer: Any, pre_tokenizer: Any, **changes: bool) -> Tokenizer:
    """SentencePiece's, as XLM-RoBERTa, ALBERT and T5 have it."""
    made = Tokenizer(models.Unigram())
    made.normalizer, made.pre_tokenizer = normalizer, pre_tokenizer
    special = [*ENDS, *(f"<0x{byte:02X}>" for byte in range(256))]
    train(made, trainers.UnigramTrainer(vocab_size=500, unk_token="<unk>", special_tokens=special))
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)])
    document = json.loads(with_added(made).to_str())
    document["model"].update(changes)
    return Tokenizer.from_str(json.dumps(document))


def xlm_roberta() -> Tokenizer:
    """With SentencePiece's table of characters."""
    spaces = normalizers.Replace(Regex(" {2,}"), "▁")
    return unigram(normalizers.Sequence([normalizers.Precompiled(CHARSMAP), spaces]), pre.Metaspace())


def t5() -> Tokenizer:
    """Spaces cut first."""
    return unigram(normalizers.NFKC(), pre.Sequence([pre.WhitespaceSplit(), pre.Metaspace()]))


def gemma() -> Tokenizer:
    """Whole texts, and bytes for what has no token."""
    whole = pre.Metaspace(prepend_scheme="first", split=False)
    return unigram(normalizers.Nmt(), whole, byte_fallback=True)


def bert() -> Tokenizer:
    """WordPiece."""
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(), pre.BertPreTokenizer()
    train(made, trainers.WordPieceTrainer(vocab_size=400, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"]))
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return made


def words(pre_tokenizer: Any) -> Tokenizer:
    """Whole words behind a pre-tokenizer."""
    made = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    steps = [normalizers.Strip(), normalizers.NFKD(), normalizers.StripAccents(), normalizers.NFD()]
    made.normalizer, made.pre_tokenizer = normalizers.Sequence(steps), pre_tokenizer
    return train(made, trainers.WordLevelTrainer(special_tokens=["[UNK]"]))


def train(made: Tokenizer, trainer: Any) -> Tokenizer:
    """The tokenizer with a vocabulary."""
    trainer.show_progress = False
    made.train_from_iterator(corpus(), trainer)
    return made


KINDS: Mapping[str, Callable[[], Tokenizer]] = {
    "byte-level BPE": byte_level_bpe,
    "llama 3": llama3,
    "llama 2": llama2,
    "clip": clip,
    "BPE with a prefix": bpe_with_prefix,
    "xlm-roberta": xlm_roberta,
    "t5": t5,
    "gemma": gemma,
    "bert": bert,
    "digits": lambda: words(pre.Sequence([pre.Digits(individual_digits=True), pre.Punctuation()])),
    "runs of digits": lambda: words(pre.Sequence([pre.Digits(), pre.Punctuation("contiguous")])),
    "merged signs": lambda: words(pre.Sequence([pre.WhitespaceSplit(), pre.Punctuation("merged_with_previous")])),
    "signs before": lambda: words(pre.Sequence([pre.Punctuation("merged_with_next"), pre.CharDelimiterSplit("a")])),
    "threes": lambda: words(pre.Sequence([pre.Punctuation("removed"), pre.FixedLength(3)])),
}
