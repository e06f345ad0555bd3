"""What one sandboxed process may use."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from math import ceil
from typing import Final, Self

from zoo.api.runtime import MAX_MEMORY_MB

LARGE: Final = 1 << 28
"""Bytes of weights from which on a model gets more memory and time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one sandboxed process may use."""

    memory_mb: int = MAX_MEMORY_MB
    """Address space."""
    cpu_seconds: float = 120.0
    """Processor time for one call."""
    wall_seconds: float = 120.0
    """Time on the clock for one call.  Where the system limits processor time, a call that works through most of it on
    a busy machine is waited for, until its processor time ends it."""

    @classmethod
    def beside(cls, weights: int) -> Self:
        """The usual limits, and room and time for so many bytes of weights.

        A runtime holds large weights as they are, and as it arranges them.  A batch of 65 pictures takes ViT-L longer
        than the usual time, and a processor without AVX-512 two and a half times as long.
        """
        usual = cls()
        if weights <= LARGE:
            return usual
        longer = weights / LARGE
        return replace(
            usual,
            memory_mb=usual.memory_mb + 3 * (weights >> 20),
            cpu_seconds=ceil(usual.cpu_seconds * longer),
            wall_seconds=ceil(usual.wall_seconds * longer),
        )

    def in_words(self) -> str:
        """What holds on this system, for the environment of a report."""
        if sys.platform == "linux":
            return f"{self.memory_mb} MB, {self.cpu_seconds:g} s of CPU and {self.wall_seconds:g} s a call"
        return f"{self.wall_seconds:g} s a call; no memory limit on {sys.platform}"
