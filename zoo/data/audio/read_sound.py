"""Sound files of every usual kind as one signal, at the rate that is wanted.  Torch-free."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from zoo.data.audio.mu_law import read_wave, wave_channels

Signal = npt.NDArray[np.float64]
WAVS: Final = frozenset({".wav", ".wave"})


def read_sound(path: Path) -> tuple[int, Signal]:
    """(samples a second, float64 [samples], the mean of all channels); ValueError says what is wrong.

    Wav files of PCM and floating point are read by the code that bundles carry, so that a device reads the same.
    """
    if path.suffix.lower() in WAVS:
        try:
            return read_wave(path)
        except ValueError as error:
            if "not PCM" not in str(error):
                raise
    import soundfile  # noqa: PLC0415  only for other kinds than PCM

    try:
        signal, rate = soundfile.read(path, dtype="float64", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise ValueError(f"it is no sound that libsndfile can read: {error}") from error
    if not np.isfinite(signal).all():
        raise ValueError("it holds values that are not finite")
    return int(rate), np.asarray(signal.mean(1), np.float64)


def count_channels(path: Path) -> int:
    """The number of channels of a sound file that can be read."""
    if path.suffix.lower() in WAVS:
        return wave_channels(path)
    import soundfile  # noqa: PLC0415  as above

    return int(soundfile.info(path).channels)


def resampled(signal: Signal, rate: int, wanted: int) -> Signal:
    """The signal at another rate, by soxr's high quality; itself where that is its own."""
    if rate == wanted:
        return signal
    import soxr  # noqa: PLC0415  only where rates differ

    return np.asarray(soxr.resample(signal, rate, wanted), np.float64)
