"""Wav files, and mu-law codes (ITU-T G.711, without its rounding): 256 levels, finer where a sound is soft."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
MU, SILENCE = 255, 128
KINDS = {"2": "ADPCM", "3": "floating-point", "6": "A-law", "7": "mu-law", "17": "ADPCM", "85": "MP3"}


def to_codes(signal: Array) -> Array:
    """Values in -1..1, clipped there -> int64 of the same shape in 0..255."""
    squeezed = np.sign(signal) * np.log1p(MU * np.abs(np.clip(signal, -1, 1))) / np.log1p(MU)
    return np.asarray(np.floor((squeezed + 1) / 2 * MU + 0.5), np.int64)


def to_signal(codes: Array) -> Array:
    """The value in the middle of each code's level, float64 in -1..1."""
    return np.asarray(np.sign(codes - MU / 2) * np.expm1(np.abs(2 * codes / MU - 1) * np.log1p(MU)) / MU)


def read_wave(path: Path) -> tuple[int, Array]:
    """(samples a second, float64 [samples] in -1..1, the mean of all channels); ValueError says what is wrong."""
    raw = bytearray(path.read_bytes())
    at = raw.find(b"fmt ") + 8
    if raw[at : at + 2] == b"\xfe\xff":  # extensible, as 24-bit files are: the real format stands further behind
        raw[at : at + 2] = raw[at + 24 : at + 26]
    try:
        with wave.open(io.BytesIO(raw)) as file:
            channels, width, rate, count = file.getparams()[:4]
            data = np.frombuffer(file.readframes(count), np.uint8)
    except (wave.Error, EOFError) as error:
        kind = KINDS.get(str(error).removeprefix("unknown format: "))
        why = f"its samples are {kind}, not PCM: ffmpeg -i OLD.wav -c:a pcm_s16le NEW.wav" if kind else str(error)
        raise ValueError(why or "it is cut off") from error
    if data.size != count * channels * width:
        raise ValueError(f"it is cut off: {data.size:,} of {count * channels * width:,} bytes of sound are there")
    high = np.zeros((data.size // width, 4), np.uint8)
    high[:, 4 - width :] = data.reshape(-1, width) ^ (0x80 if width == 1 else 0)  # 8 bits have no sign
    return rate, high.view("<i4").reshape(-1, channels).mean(1) / 2**31


def wave_bytes(signal: Array, rate: int) -> bytes:
    """A wav file of one channel and 16 bits, from values in -1..1."""
    with wave.open(memory := io.BytesIO(), "wb") as file:
        file.setparams((1, 2, rate, len(signal), "NONE", ""))
        file.writeframes(np.round(np.clip(signal, -1, 1) * 32767).astype("<i2").tobytes())
    return memory.getvalue()
