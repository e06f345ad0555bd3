"""A sound as a picture: its waveform above, its spectrogram below."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH: Final = 640
WAVE: Final = 120
"""Pixels of the waveform's height; the spectrogram has a row for every frequency."""
WINDOW: Final = 512
DECIBEL_RANGE: Final = 70.0
"""Decibels from black to white."""
MIN_HERTZ: Final = 20.0
"""The lowest audible frequency."""
COLOURS: Final = ((0, 0, 0), (70, 10, 110), (190, 50, 80), (250, 150, 30), (255, 255, 190))


def sound_picture(signal: npt.NDArray[Any], rate: int) -> Image:
    """Values in -1..1 -> a picture 640 wide, with the frequencies written beside it."""
    from PIL import Image, ImageDraw  # noqa: PLC0415  listing tasks needs no Pillow

    levels = np.flipud(spectrogram(signal))
    picture = Image.fromarray(np.concatenate((_waveform(signal), _coloured(levels))))
    draw = ImageDraw.Draw(picture)
    for share in (0.25, 0.5, 0.75):
        height = WAVE + int(levels.shape[0] * (1 - share))
        draw.line((0, height, 6, height), fill="white")
        draw.text((9, height - 6), f"{share * rate / 2:.0f} Hz", fill="white")
    draw.text((9, 3), f"{len(signal) / rate:.2f} s", fill="black")
    return picture


def spectrogram(signal: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Shares of the range in decibels, float64 [257, 640] in 0..1, the lowest frequency first; Hann windows."""
    padded = np.pad(signal, WINDOW // 2)
    starts = np.linspace(0, len(padded) - WINDOW, WIDTH).astype(int)
    frames = padded[starts[:, None] + np.arange(WINDOW)] * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(frames, axis=1)).T ** 2
    decibels = 10 * np.log10(power / max(power.max(), 1e-12) + 1e-12)
    return np.asarray(np.clip(1 + decibels / DECIBEL_RANGE, 0, 1))


def loudest(signal: npt.NDArray[Any], rate: int) -> float:
    """The audible frequency with the most power, in hertz."""
    hertz = np.fft.rfftfreq(len(signal), 1 / rate)
    power = np.abs(np.fft.rfft(signal)) * (hertz > MIN_HERTZ)
    return float(hertz[power.argmax()])


def _waveform(signal: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """uint8 [120, 640, 3]: in every column the range of its samples."""
    bounds = np.linspace(0, len(signal), WIDTH + 1).astype(int)
    columns = [signal[start : max(end, start + 1)] for start, end in pairwise(bounds)]
    low, high = np.array([[column.min(), column.max()] for column in columns]).T
    rows = np.linspace(1, -1, WAVE)[:, None]
    half = 1 / WAVE
    inside = (rows <= high + half) & (rows >= low - half)
    return np.where(inside[:, :, None], np.array((40, 60, 160)), 255).astype(np.uint8)


def _coloured(shares: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    stops = np.linspace(0, 1, len(COLOURS))
    channels = [np.interp(shares, stops, [colour[channel] for colour in COLOURS]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)
