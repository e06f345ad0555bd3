from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import DataError
from zoo.data.audio import sources
from zoo.data.audio.mu_law import to_codes, wave_bytes


def quiet(done: int, total: int) -> None:
    """Nobody looks at the progress."""


def checked(folder: Path) -> DataCard:
    return sources.check(sources.detect(DataRequest(source=str(folder))), progress=quiet)


def sound(path: Path, *, rate: int = 8000, samples: int = 2000, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wave_bytes(np.random.default_rng(seed).uniform(-0.5, 0.5, samples), rate))


@pytest.fixture
def two_classes(tmp_path: Path) -> Path:
    for number in range(4):
        sound(tmp_path / f"high/{number}.wav", seed=number)
        sound(tmp_path / f"low/{number}.wav", seed=10 + number)
    return tmp_path


def test_class_folders_are_classes_and_some_files_are_held_out_by_hash(two_classes: Path) -> None:
    card = checked(two_classes)
    assert (card.source.format, card.classes) == ("wav-classes", ("high", "low"))
    assert card.facts == {"sample_rate": 8000, "samples": 16_000}
    assert sum(card.counts().values()) == 8
    assert card.counts()["validation"] >= 1
    assert checked(two_classes).fingerprint == card.fingerprint
    item = card.splits["train"][0]
    assert item.label == card.classes.index(item.name.split("/")[0])
    codes = sources.recording(card, "train", 0)
    assert codes.dtype == np.uint8
    assert codes.shape == (2000,)


def test_a_plain_folder_has_no_classes_and_its_splits_are_honoured(tmp_path: Path) -> None:
    for split, count in (("train", 3), ("val", 1), ("test", 2)):
        for number in range(count):
            sound(tmp_path / split / f"{number}.wav", seed=number + len(split))
    (tmp_path / "train/notes.txt").write_text("x")
    card = checked(tmp_path)
    assert (card.source.format, card.classes) == ("wav-folder", ())
    assert card.counts() == {"train": 3, "validation": 1, "test": 2}
    assert "left out 1 files that are no sounds" in card.notes


def test_a_wrong_rate_is_named_with_the_cure(two_classes: Path) -> None:
    sound(two_classes / "low/odd.wav", rate=44_100, seed=99)
    with pytest.raises(DataError, match="2 sample rates") as caught:
        checked(two_classes)
    (bad,) = caught.value.problems
    assert (bad.where, bad.reason) == ("low/odd.wav", "its rate is 44100 Hz, that of most is 8000 Hz")
    assert bad.fix == "ffmpeg -i OLD.wav -ar 8000 NEW.wav"


def test_bad_files_are_all_named(two_classes: Path) -> None:
    (two_classes / "low/empty.wav").write_bytes(b"")
    (two_classes / "low/mp3.wav").write_bytes(b"ID3" * 40)
    sound(two_classes / "high/short.wav", samples=20)
    whole = (two_classes / "high/0.wav").read_bytes()
    (two_classes / "high/cut.wav").write_bytes(whole[:-600])
    with pytest.raises(DataError, match="4 problems") as caught:
        checked(two_classes)
    reasons = {bad.where: bad.reason for bad in caught.value.problems}
    assert reasons["high/short.wav"] == "it has 20 samples, too few to learn from"
    assert "cut off: 3,400 of 4,000 bytes" in reasons["high/cut.wav"]
    assert "cut off" in reasons["low/empty.wav"]
    assert "RIFF" in reasons["low/mp3.wav"]


def test_sounds_of_other_kinds_are_not_left_out_silently(two_classes: Path) -> None:
    (two_classes / "low/a.mp3").write_bytes(b"x")
    with pytest.raises(DataError) as caught:
        checked(two_classes)
    assert [(bad.where, bad.reason) for bad in caught.value.problems] == [("low/a.mp3", ".mp3 files cannot be read")]


def test_too_little_sound_is_refused(tmp_path: Path) -> None:
    for number in range(2):
        sound(tmp_path / f"{number}.wav", samples=1000, seed=number)
    with pytest.raises(DataError, match="2,000 samples; a model needs at least 4,000"):
        checked(tmp_path)


@pytest.mark.parametrize(("name", "said"), [("nowhere", "there is no data"), ("", "holds no wav files")])
def test_what_is_no_folder_of_wav_files_is_said_with_what_is(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DataError, match=said) as caught:
        sources.detect(DataRequest(source=str(tmp_path / name)))
    assert "FOLDER/CLASS/*.wav" in caught.value.hint


def test_the_card_of_the_tones() -> None:
    card = sources.check(sources.detect(DataRequest(source="tones")), progress=quiet)
    assert card.counts() == {"train": 60, "validation": 12, "test": 24}
    assert card.classes == ("bright", "hollow", "pure")
    codes = sources.recording(card, "validation", 2)
    assert codes.tolist() == sources.recording(card, "validation", 2).tolist()
    assert codes[0] == to_codes(np.zeros(1))[0]
