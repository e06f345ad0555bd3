"""The embedded tones: short tunes of decaying notes in three timbres, made from seeds; nothing is stored.

A tune is a second long: four notes of a pentatonic scale, each some harmonics of its pitch that die away, the higher
the faster.  The timbre, which harmonics there are, is the class.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from zoo.api.data import Split

SAMPLE_RATE: Final = 8_000
LENGTH: Final = 8_000
"""Samples of a tune."""
NOTES: Final = 4
TIMBRES: Final = {"bright": (1, 2, 3, 4, 5, 6), "hollow": (1, 3, 5, 7), "pure": (1,)}
"""The harmonics of each, all as loud as their number says: the k-th one k-th of the first."""
CLASSES: Final = tuple(TIMBRES)
SCALE: Final = (220.0, 246.94, 277.18, 329.63, 369.99, 440.0, 493.88, 554.37)
"""Hertz: A major pentatonic from a to c sharp an octave above."""
DECAY: Final = 20.0
"""A first harmonic falls by e in a twentieth of a second, the k-th sqrt(k) times faster."""
COUNTS: Final[dict[Split, int]] = {"train": 60, "validation": 12, "test": 24}
_SEEDS: Final[dict[Split, int]] = {"train": 1, "validation": 2, "test": 3}


def label(index: int) -> int:
    """The class of a tune: they take turns."""
    return index % len(CLASSES)


def tune(split: Split, index: int) -> npt.NDArray[np.float64]:
    """One tune of a split, float64 [8000] in -1..1; the same for the same split and index."""
    random = np.random.default_rng((_SEEDS[split], index))
    harmonics = np.array(TIMBRES[CLASSES[label(index)]])[:, None]
    time = np.arange(LENGTH // NOTES) / SAMPLE_RATE
    notes = []
    for _ in range(NOTES):
        pitch, loudness = random.choice(SCALE), random.uniform(0.3, 0.6)
        waves = np.sin(2 * np.pi * pitch * harmonics * time) * np.exp(-DECAY * np.sqrt(harmonics) * time)
        notes.append(loudness * (waves / harmonics).sum(0))
    return np.concatenate(notes)
