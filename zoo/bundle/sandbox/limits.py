"""What one sandboxed process may use."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Self

from zoo.api.runtime import MAX_MEMORY_MB
from zoo.bundle.onnx_file.external_data import MAX_ONNX_BYTES


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
        """The usual limits, and room for so many bytes of weights: as they are, and as a runtime arranges them."""
        usual = cls()
        large = weights > MAX_ONNX_BYTES
        return replace(usual, memory_mb=usual.memory_mb + 3 * (weights >> 20)) if large else usual

    def in_words(self) -> str:
        """What holds on this system, for the environment of a report."""
        if sys.platform == "linux":
            return f"{self.memory_mb} MB, {self.cpu_seconds:g} s of CPU and {self.wall_seconds:g} s a call"
        return f"{self.wall_seconds:g} s a call; no memory limit on {sys.platform}"
