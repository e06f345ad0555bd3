"""Texts are cut as the library `tokenizers` cuts them, in zoo and on the device."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.bundle.runtime.task_source import task_source
from zoo.data.text.subword.decode import decode
from zoo.data.text.subword.encode import subword_encoder
from zoo.data.text.subword.older_unicode import ACCENTS, CONTROLS, MARKS, PUNCTUATION
from zoo.data.text.subword.patterns import Range
from zoo.data.text.subword.reading import read_text
from zoo.data.text.subword.tokenizer_json import TokenizerFile, read_tokenizer_json

tokenizers = pytest.importorskip("tokenizers")

from tokenizers import normalizers  # noqa: E402
from tokenizers import pre_tokenizers as pre  # noqa: E402

from tests.data.text.subword.tokenizers_of_all_kinds import (  # noqa: E402
    HOSTILE,
    KINDS,
    byte_level_bpe,
    hostile_text,
    random_text,
)

UNLIMITED = 10**9
DEVICES = ("text_classification", "text_embedding")


def read(tokenizer: Any, folder: Path) -> TokenizerFile:
    tokenizer.save(str(folder / "tokenizer.json"))
    return read_tokenizer_json(folder / "tokenizer.json")


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_and_random_texts_are_cut_as_the_library_cuts_them(kind: str, tmp_path: Path) -> None:
    library = KINDS[kind]()
    file = read(library, tmp_path)
    encode = subword_encoder(file.vocabulary, json.loads(json.dumps(file.rules)))
    texts = [*HOSTILE, *map(random_text, range(150)), *map(hostile_text, range(300))]
    for text, expected in zip(texts, library.encode_batch(texts), strict=True):
        assert encode(text, UNLIMITED) == expected.ids, text
    plain = "Lääne-Viru maakond"
    assert decode(encode(plain, UNLIMITED), file.vocabulary, file.rules)


OLDER_CLASSES: dict[str, tuple[tuple[Range, ...], Callable[[str], bool]]] = {
    "punctuation": (PUNCTUATION, lambda sign: len(pre.Punctuation("isolated").pre_tokenize_str(f"a{sign}a")) == 3),
    "controls": (CONTROLS, lambda sign: _left_out(normalizers.BertNormalizer(True, False, False, False), sign)),
    "accents": (ACCENTS, lambda sign: _left_out(normalizers.BertNormalizer(False, False, True, False), sign)),
    "marks": (MARKS, lambda sign: _left_out(normalizers.StripAccents(), sign)),
}


def _left_out(normalizer: Any, sign: str) -> bool:
    return bool(normalizer.normalize_str(f"a{sign}b") == "ab")


@pytest.mark.parametrize("name", OLDER_CLASSES)
def test_the_classes_that_are_older_than_pythons_begin_and_end_where_the_librarys_do(name: str) -> None:
    ranges, is_member = OLDER_CLASSES[name]
    inside = {code for first, last in ranges for code in (first, last)}
    outside = {code for first, last in ranges for code in (first - 1, last + 1)} - inside - {-1, 0x110000}
    unusable = {0xFFFD, *range(0xD800, 0xE000)}  # the first is named beside the controls, the others are no text
    assert [hex(code) for code in inside if not is_member(chr(code))] == []
    assert [hex(code) for code in outside - unusable if is_member(chr(code))] == []


def test_a_text_is_cut_at_the_longest_length_as_the_library_truncates(tmp_path: Path) -> None:
    library = byte_level_bpe()
    file = read(library, tmp_path)
    encode = subword_encoder(file.vocabulary, file.rules)
    text = "one two three four five six"
    for longest in (2, 3, 7, 100):
        library.enable_truncation(longest)
        assert encode(text, longest) == library.encode(text).ids
    assert read(library, tmp_path).max_length == 100
    assert decode(encode(text, 100), file.vocabulary, file.rules) == text


@pytest.mark.parametrize("kind", ["byte-level BPE", "gemma", "xlm-roberta"])
def test_a_hundred_thousand_characters_are_cut_alike(kind: str, tmp_path: Path) -> None:
    library = KINDS[kind]()
    file = read(library, tmp_path)
    text = "Lääne-Viru 東京 " * 7_692 + "abcdefg" * 2
    assert subword_encoder(file.vocabulary, file.rules)(text, UNLIMITED) == library.encode(text).ids


def test_an_unpaired_surrogate_is_read_as_the_replacement_character(tmp_path: Path) -> None:
    library = byte_level_bpe()
    encode = subword_encoder(*_parts(read(library, tmp_path)))
    assert encode("a\ud800b\udfff", UNLIMITED) == library.encode("a\ufffdb\ufffd").ids


def _parts(file: TokenizerFile) -> tuple[tuple[str, ...], dict[str, object]]:
    return file.vocabulary, file.rules


@pytest.mark.parametrize("device", DEVICES)
def test_the_bundle_cuts_alone_what_zoo_cuts(device: str, tmp_path: Path) -> None:
    source = task_source(f"zoo.tasks.{device}.device_subword:read")
    assert len(source.splitlines()) <= 300
    (tmp_path / "task.py").write_text(source)
    use = (
        "import sys; sys.modules['zoo'] = sys.modules['torch'] = sys.modules['tokenizers'] = None\n"
        f"sys.path.insert(0, {str(tmp_path)!r}); import json, pathlib, task\n"
        "problem, texts = json.loads(pathlib.Path(sys.argv[1]).read_text())\n"
        "print(json.dumps([task.read_text(text, problem)['tokens'].tolist()[0] for text in texts]))\n"
    )
    for kind in ("byte-level BPE", "xlm-roberta", "bert"):
        file = read(KINDS[kind](), tmp_path)
        problem = {"vocabulary": file.vocabulary, "facts": {"tokenizer": file.rules}, "input": {"max_length": 9}}
        texts = [text for text in HOSTILE if text.strip("\t\n ")]
        (tmp_path / "problem.json").write_text(json.dumps([problem, texts]))
        command = [sys.executable, "-I", "-c", use, str(tmp_path / "problem.json")]
        shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert json.loads(shown) == [read_text(text, problem)["tokens"].tolist()[0] for text in texts]


def test_a_table_is_read_row_by_row_on_the_device(tmp_path: Path) -> None:
    from zoo.data.text.subword.reading_rows import read_rows

    file = read(KINDS["bert"](), tmp_path)
    problem = {"vocabulary": file.vocabulary, "facts": {"tokenizer": file.rules}, "input": {"max_length": 9}}
    (tmp_path / "t.csv").write_text("text\none\ntwo\n")
    rows = read_rows(tmp_path / "t.csv", problem)
    assert isinstance(rows, list)
    assert [name for name, _ in rows] == ["row 1", "row 2"]
    with pytest.raises(ValueError, match="the text is empty"):
        read_text(" \t", problem)
