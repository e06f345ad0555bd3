from __future__ import annotations

import numpy as np
import pytest

from zoo.data.audio.spectrogram import loudest, sound_picture, spectrogram


def test_the_loudest_frequency_is_found_beside_a_shift_that_nobody_hears() -> None:
    time = np.arange(8000) / 8000
    assert loudest(np.sin(2 * np.pi * 440 * time) + 5, 8000) == pytest.approx(440)


def test_a_tone_is_a_line_at_its_height() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)
    shares = spectrogram(tone)
    assert shares.shape == (257, 640)
    assert int(shares[:, 320].argmax()) == 64  # of 256 steps to 4,000 Hz
    assert (shares.min(), shares.max()) == (0.0, 1.0)
    assert sound_picture(tone, 8000).size == (640, 377)
    assert sound_picture(np.zeros(64), 8000).size == (640, 377)
