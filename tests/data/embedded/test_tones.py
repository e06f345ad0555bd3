from __future__ import annotations

import hashlib

import numpy as np
import pytest

from zoo.data.audio.mu_law import to_codes
from zoo.data.embedded import tones


def test_a_tune_is_the_same_every_time() -> None:
    codes = to_codes(tones.tune("train", 0)).astype(np.uint8)
    assert codes[:8].tolist() == to_codes(tones.tune("train", 0))[:8].tolist()
    assert hashlib.sha256(codes.tobytes()).hexdigest()[:16] == "e775204b9a6f044b"


def test_no_two_tunes_are_equal() -> None:
    whole = {tones.tune(split, index).tobytes() for split, count in tones.COUNTS.items() for index in range(count)}
    assert len(whole) == sum(tones.COUNTS.values()) == 96


@pytest.mark.parametrize("index", range(3))
def test_a_note_has_the_harmonics_of_its_class(index: int) -> None:
    note = tones.tune("test", index)[: tones.LENGTH // tones.NOTES]
    power = np.abs(np.fft.rfft(note, 8 * len(note)))
    hertz = np.fft.rfftfreq(8 * len(note), 1 / tones.SAMPLE_RATE)
    pitch = min(tones.SCALE, key=lambda one: abs(one - hertz[power.argmax()]))
    assert pitch == pytest.approx(hertz[power.argmax()], abs=3)

    def at(share: float) -> float:
        return float(power[np.abs(hertz - share * pitch).argmin()])

    heard = [number for number in range(1, 8) if at(number) > 2 * max(at(number - 0.5), at(number + 0.5))]
    assert tuple(heard) == tones.TIMBRES[tones.CLASSES[tones.label(index)]]


def test_it_stays_within_full_scale_and_dies_away() -> None:
    for index in range(12):
        tune = tones.tune("train", index)
        assert 0.25 < np.abs(tune).max() < 1.0
        assert np.abs(tune[-100:]).max() < 0.02
