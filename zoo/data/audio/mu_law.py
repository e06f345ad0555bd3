"""Wav files, and mu-law codes (ITU-T G.711, without its rounding): 256 levels, finer where a sound is soft."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
MU, SILENCE = 255, 128
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
KINDS = {2: "ADPCM", 6: "A-law", 7: "mu-law", 17: "ADPCM", 85: "MP3"}
UNKNOWN_LENGTH = 0x7FFFF000
"""A longer sound is none: what writes into a pipe cannot know the length, and writes a number from here on."""


def to_codes(signal: Array) -> Array:
    """Values in -1..1, clipped there -> int64 of the same shape in 0..255."""
    squeezed = np.sign(signal) * np.log1p(MU * np.abs(np.clip(signal, -1, 1))) / np.log1p(MU)
    return np.asarray(np.floor((squeezed + 1) / 2 * MU + 0.5), np.int64)


def to_signal(codes: Array) -> Array:
    """The value in the middle of each code's level, float64 in -1..1."""
    return np.asarray(np.sign(codes - MU / 2) * np.expm1(np.abs(2 * codes / MU - 1) * np.log1p(MU)) / MU)


def read_wave(path: Path) -> tuple[int, Array]:
    """(samples a second, float64 [samples], the mean of all channels); ValueError says what is wrong.

    PCM of 8 to 32 bits and floating point, plain or extensible; one that a pipe wrote, without its length, too.
    """
    form, data, promised = _wave_chunks(path.read_bytes())
    fields = ((0, 2), (2, 2), (4, 4), (14, 2))
    code, channels, rate, bits = (int.from_bytes(form[at : at + size], "little") for at, size in fields)
    code = int.from_bytes(form[24:26], "little") if code == EXTENSIBLE else code
    width = bits // 8
    if code not in (PCM, FLOAT) or not channels or width not in ((1, 2, 3, 4) if code == PCM else (4, 8)):
        what = KINDS.get(code, f"of the kind {code} with {bits} bits")
        raise ValueError(f"its samples are {what}, not PCM: ffmpeg -i OLD.wav -c:a pcm_s16le NEW.wav")
    if len(data) < promised:
        raise ValueError(f"it is cut off: {len(data):,} of {promised:,} bytes of sound are there")
    data = data[: len(data) // (channels * width) * channels * width]
    if code == FLOAT:
        values = np.frombuffer(data, f"<f{width}").astype(np.float64)
        if not np.isfinite(values).all():
            raise ValueError("it holds values that are not finite")
        return rate, values.reshape(-1, channels).mean(1)
    samples = np.frombuffer(data, np.uint8).reshape(-1, width)
    high = np.zeros((len(samples), 4), np.uint8)
    high[:, 4 - width :] = samples ^ (0x80 if width == 1 else 0)  # 8 bits have no sign
    return rate, high.view("<i4").reshape(-1, channels).mean(1) / 2**31


def wave_channels(path: Path) -> int:
    """The number of channels of a wav file of any kind."""
    return int.from_bytes(_wave_chunks(path.read_bytes())[0][2:4], "little")


def _wave_chunks(raw: bytes) -> tuple[bytes, bytes, int]:
    """The format, the samples that are there, and how many bytes of them the file promises."""
    if raw and raw[:4] != b"RIFF":
        raise ValueError("it does not start with RIFF, as a wav file does")
    at, form = 12, b""
    while at + 8 <= len(raw):
        name, size = raw[at : at + 4], int.from_bytes(raw[at + 4 : at + 8], "little")
        rest = raw[at + 8 :]
        if name == b"fmt ":
            form = rest[:size]
        elif name == b"data" and len(form) >= 16:
            unknown = size == 0 or size >= UNKNOWN_LENGTH
            return form, rest if unknown else rest[:size], 0 if unknown else size
        at += 8 + size + size % 2
    raise ValueError("it is cut off: no sound is in it")


def wave_bytes(signal: Array, rate: int) -> bytes:
    """A wav file of one channel and 16 bits, from values in -1..1."""
    with wave.open(memory := io.BytesIO(), "wb") as file:
        file.setparams((1, 2, rate, len(signal), "NONE", ""))
        file.writeframes(np.round(np.clip(signal, -1, 1) * 32767).astype("<i2").tobytes())
    return memory.getvalue()
