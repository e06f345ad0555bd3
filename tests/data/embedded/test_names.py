from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from zoo.api.errors import HashMismatch
from zoo.data.embedded import names
from zoo.data.text.build_vocabulary import build_vocabulary


def test_the_pack_holds_sixteen_thousand_names_in_twenty_languages() -> None:
    pairs = names.load()
    assert len(pairs) == 16_168
    assert {language for _, language in pairs} == set(names.LANGUAGES)
    assert len(names.LANGUAGES) == 20
    assert ("German Mark", "en") in pairs


def test_no_name_belongs_to_two_languages_or_appears_twice() -> None:
    folded = [name.casefold() for name, _ in names.load()]
    assert len(set(folded)) == len(folded)


def test_the_splits_are_by_hash_and_cover_everything_once() -> None:
    train, validation, test = (names.names(split) for split in ("train", "validation", "test"))
    assert (len(train), len(validation), len(test)) == (13_089, 1_436, 1_643)
    assert sorted((*train, *validation, *test)) == sorted(names.load())
    assert {language for _, language in test} == set(names.LANGUAGES)


def test_upper_and_lower_case_share_a_split() -> None:
    assert names.split_of("German Mark") == names.split_of("german mark")


def test_neighbours_do_not_tell_the_language() -> None:
    languages = [language for _, language in names.load()]
    same = sum(one == other for one, other in pairwise(languages))
    assert same / len(languages) < 0.08  # a random guess is right once in twenty


def test_a_changed_pack_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / "names.xz"
    changed.write_bytes(names.PACK.read_bytes()[:-1] + b"\0")
    monkeypatch.setattr(names, "PACK", changed)
    names.load.cache_clear()
    try:
        with pytest.raises(HashMismatch, match=r"names\.xz is not the file that was shipped"):
            names.load()
    finally:
        names.load.cache_clear()


def test_the_vocabulary_of_the_shipped_weights_is_that_of_the_training_names() -> None:
    texts = [name for name, _ in names.names("train")]
    assert build_vocabulary(texts, unit="character", limit=20_000) == names.CHARACTERS
    lines = [f"{name}\n" for name in texts]
    assert build_vocabulary(lines, unit="character", limit=20_000) == names.LINES
