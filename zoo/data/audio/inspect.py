"""Looking into one sound file before anybody trains on it.  Torch-free."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from zoo.api.data import counted
from zoo.api.problem import Json
from zoo.data.formats.class_folders.checks import Kind
from zoo.data.formats.inspection import Facts

MIN_SAMPLES: Final = 64
"""A recording of fewer samples is too short to learn from."""
TRAITS: Final = {
    "stereo": "{count} recordings have more than one channel; the mean of the channels is taken",
    "silent": "{count} recordings hold nothing but silence",
    "clipped": "{count} recordings reach full scale so often that they are clipped",
}
MAX_FULL_SCALE_SHARE: Final = 0.001
"""A recording with a larger share of samples at full scale is taken to be clipped."""


def inspect_sound(path: Path) -> Facts:
    """Rate, samples, hash and traits of a sound file that reads whole; ValueError when it does not."""
    import numpy as np  # noqa: PLC0415  listing tasks needs no numpy

    from zoo.data.audio.read_sound import count_channels, read_sound  # noqa: PLC0415  the same

    rate, signal = read_sound(path)
    if len(signal) < MIN_SAMPLES:
        raise ValueError(f"it has {counted(len(signal), 'sample')}, too few to learn from")
    raw = path.read_bytes()
    traits: list[Json] = ["stereo"] if count_channels(path) > 1 else []
    traits += ["silent"] if not signal.any() else []
    traits += ["clipped"] if np.mean(np.abs(signal) > 0.9999) > MAX_FULL_SCALE_SHARE else []
    return {"sha256": hashlib.sha256(raw).hexdigest(), "rate": rate, "samples": len(signal), "traits": traits}


def summarise(facts: Iterable[Facts]) -> dict[str, Json]:
    """`sample_rate`, that of most; `samples`, of all together; where rates differ, `rates`: how many have each."""
    files = list(facts)
    rates = Counter(file["rate"] for file in files if isinstance(file["rate"], int))
    samples = sum(file["samples"] for file in files if isinstance(file["samples"], int))
    most = max(rates, key=lambda rate: (rates[rate], rate), default=0)
    several: dict[str, Json] = {str(rate): count for rate, count in sorted(rates.items())}
    return {"sample_rate": most, "samples": samples, **({"rates": several} if len(rates) > 1 else {})}


SOUNDS: Final = Kind(
    word="recordings",
    version="recordings 2",
    inspect=inspect_sound,
    traits=TRAITS,
    summarise=summarise,
    trait_kinds={"silent": "empty", "clipped": "clipped"},
)
