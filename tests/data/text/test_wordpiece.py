"""Word pieces are cut on the device as the library `tokenizers` cuts them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zoo.api.problem import Problem, TokenInput
from zoo.bundle.runtime.task_source import task_source
from zoo.data.embedded.names import names
from zoo.data.text.build_wordpieces import RULES, SPECIAL, build_wordpieces
from zoo.data.text.encoding import decode, encoder, unknown
from zoo.data.text.vocabulary import token_ids
from zoo.data.text.wordpiece import LONGEST_WORD, encode_wordpieces, words

tokenizers = pytest.importorskip("tokenizers")

YOUNG = 0x61D
"""Every sign below is cut alike; above, some are younger than the library's tables."""
HOSTILE = (
    "",
    " \t\n ",
    "İstanbul ΌΔΟΣ ǅ ﬁn ß STRAẞE",
    "e\N{COMBINING ACUTE ACCENT}\N{COMBINING DIAERESIS} a\N{COMBINING RING BELOW}",
    "zero\N{ZERO WIDTH SPACE}width\N{ZERO WIDTH JOINER}join\N{SOFT HYPHEN}ed \N{BYTE ORDER MARK}x",
    "北京市 and 東京 한국어 ไทย हिन्दी עברית مرحبا",
    "a\N{NO-BREAK SPACE}b\N{IDEOGRAPHIC SPACE}c\N{LINE SEPARATOR}d\x85e\x1cf\x00g\N{REPLACEMENT CHARACTER}h",
    "[CLS] [SEP] [UNK] ##ing <s>",
    "don't... (really?!) «quoted» „so“ $5+5=10^1 `x`|~ a_b-c/d",
    "😀👩‍👩‍👧‍👦🇫🇮 ∑∞ №1 ½ ²",
    "x" * LONGEST_WORD + " " + "x" * (LONGEST_WORD + 1),
    "\N{RIGHT-TO-LEFT OVERRIDE}txet \ue000private \U000f0000",
)


def rules(*, lowercase: bool = False, strip_accents: bool = False, chinese: bool = True) -> dict[str, Any]:
    return {**RULES, "lowercase": lowercase, "strip_accents": strip_accents, "chinese": chinese}


def library_tokenizer(vocabulary: tuple[str, ...], how: dict[str, Any]) -> Any:
    """The library's tokenizer of a vocabulary; special tokens in a text are no special tokens."""
    places = {piece: place for place, piece in enumerate(vocabulary)}
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(places, unk_token="[UNK]", max_input_chars_per_word=100))
    made.normalizer = tokenizers.normalizers.BertNormalizer(
        lowercase=how["lowercase"], strip_accents=how["strip_accents"], handle_chinese_chars=how["chinese"]
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    return made


def ways() -> Iterator[dict[str, Any]]:
    yield rules()
    yield rules(lowercase=True, strip_accents=True)
    yield rules(lowercase=True, chinese=False)


@pytest.fixture(scope="module")
def vocabulary() -> tuple[str, ...]:
    return build_wordpieces((name for name, _ in names("train")), limit=600)


@pytest.mark.slow
@pytest.mark.parametrize("how", list(ways()))
def test_names_and_hostile_texts_are_cut_as_the_library_cuts_them(
    vocabulary: tuple[str, ...], how: dict[str, Any]
) -> None:
    library, places = library_tokenizer(vocabulary, how), token_ids(vocabulary)
    texts = [*HOSTILE, *(name for name, _ in names("test"))]
    for text, cut in zip(texts, library.encode_batch(texts), strict=True):
        first, *middle, last = encode_wordpieces(text, places, how, 10_000) or [2, 3]
        assert (first, middle, last) == (2, cut.ids, 3), text


def test_every_sign_of_the_old_scripts_is_cleaned_as_in_the_library() -> None:
    how = rules(lowercase=True, strip_accents=True)
    library = library_tokenizer(SPECIAL, how)
    for code in (*range(YOUNG), *range(0x1E00, 0x2100), *range(0x3000, 0x3040), *range(0xFB00, 0xFE00)):
        text = f"A{chr(code)}é"
        cut = library.pre_tokenizer.pre_tokenize_str(library.normalizer.normalize_str(text))
        assert words(text, how) == [word for word, _ in cut], hex(code)


def test_the_same_texts_give_the_same_vocabulary_in_every_process(vocabulary: tuple[str, ...]) -> None:
    code = (
        "from zoo.data.embedded.names import names\n"
        "from zoo.data.text.build_wordpieces import build_wordpieces\n"
        "print(build_wordpieces((name for name, _ in names('train')[:2000]), limit=400))"
    )
    command = [sys.executable, "-c", code]
    told = {subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(2)}
    assert len(told) == 1


def test_frequent_neighbours_are_joined_until_the_vocabulary_is_full() -> None:
    texts = ["low low lower", "lower newest"]
    assert build_wordpieces(texts, limit=100) == (
        *SPECIAL,
        *("##e", "##o", "##r", "##w", "l"),
        *("##ow", "low", "##er", "lower"),
    )
    assert build_wordpieces(texts, limit=10)[-1] == "##ow"
    assert len(build_wordpieces(texts, limit=6)) == 6


def problem(vocabulary: tuple[str, ...], *, longest: int = 128) -> Problem:
    input = TokenInput(unit="wordpiece", max_length=longest)
    return Problem(task="t", input=input, vocabulary=vocabulary, facts={"tokenizer": dict(RULES)})


def test_a_long_text_is_cut_inside_its_two_ends_and_none_gives_no_tokens(vocabulary: tuple[str, ...]) -> None:
    whole, cut = encoder(problem(vocabulary)), encoder(problem(vocabulary, longest=5))
    text = "Lääne-Viru maakond"
    assert cut(text) == [*whole(text)[:4], 3]
    assert whole("\N{ZERO WIDTH SPACE} ") == []
    assert decode(whole(text), problem(vocabulary)) == "Lääne - Viru maakond"
    assert encoder(problem(vocabulary))("漢") == [2, unknown(problem(vocabulary)), 3]


def test_the_bundle_cuts_alone_what_zoo_cuts(vocabulary: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "task.py").write_text(task_source("zoo.tasks.text_classification.device:read"))
    use = (
        "import sys; sys.modules['zoo'] = sys.modules['torch'] = sys.modules['tokenizers'] = None;"
        f"sys.path.insert(0, {str(tmp_path)!r}); import task;"
        f"problem = {{'vocabulary': {vocabulary!r}, 'input': {{'unit': 'wordpiece', 'max_length': 9}}}};"
        f"problem['facts'] = {{'tokenizer': {RULES!r}}};"
        "print(task.read_text('Århus Amt, Danmark', problem)['tokens'].tolist()[0])"
    )
    shown = subprocess.run([sys.executable, "-I", "-c", use], check=True, capture_output=True, text=True).stdout
    assert shown.strip() == str(encoder(problem(vocabulary, longest=9))("Århus Amt, Danmark"))
