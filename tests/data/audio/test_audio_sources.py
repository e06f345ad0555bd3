from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import DataError
from zoo.data.audio import sources
from zoo.data.audio.mu_law import to_codes, to_signal, wave_bytes
from zoo.data.audio.read_sound import read_sound


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
    assert "left out 1 file other than sounds" in card.notes


def test_other_rates_are_resampled_and_said(two_classes: Path) -> None:
    seconds = np.arange(44_100 // 4) / 44_100
    tone = 0.5 * np.sin(2 * np.pi * 440 * seconds)
    (two_classes / "low/odd.wav").write_bytes(wave_bytes(tone, 44_100))
    card = checked(two_classes)
    assert (card.facts["sample_rate"], card.facts["rates"]) == (8000, {"8000": 8, "44100": 1})
    (note,) = sources.rate_notes(card, 8000)
    assert note == "1 of 9 recordings are resampled to 8000 Hz: 1 of 44100 Hz"
    split, index = next(
        (split, index) for split, items in card.splits.items() for index, item in enumerate(items) if "odd" in item.name
    )
    signal = to_signal(sources.recording(card, split, index).astype(np.int64))
    assert len(signal) == 2000
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2000) / 8000)
    assert np.abs(signal - expected)[100:-100].max() < 0.02  # mu-law's own steps
    assert len(sources.recording(card, split, index, rate=16_000)) == 4000


@pytest.mark.parametrize(
    ("suffix", "subtype", "step"), [("flac", "PCM_24", 1e-6), ("aiff", "PCM_16", 1e-4), ("ogg", "VORBIS", 0.2)]
)
def test_sounds_of_other_kinds_are_read(two_classes: Path, suffix: str, subtype: str, step: float) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2000) / 8000)
    soundfile.write(two_classes / f"high/tone.{suffix}", tone, 8000, subtype=subtype)
    card = checked(two_classes)
    assert sum(card.counts().values()) == 9
    rate, signal = read_sound(two_classes / f"high/tone.{suffix}")
    assert rate == 8000
    assert np.abs(signal[:2000] - tone).max() < step


def test_wav_of_kinds_that_only_the_library_knows_is_read(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(np.arange(2000) / 10)
    soundfile.write(tmp_path / "a.wav", tone, 8000, subtype="ALAW")
    assert np.abs(read_sound(tmp_path / "a.wav")[1] - tone).max() < 0.02


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
    (two_classes / "low/a.m4a").write_bytes(b"x")
    with pytest.raises(DataError) as caught:
        checked(two_classes)
    assert [(bad.where, bad.reason) for bad in caught.value.problems] == [("low/a.m4a", ".m4a files cannot be read")]


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
