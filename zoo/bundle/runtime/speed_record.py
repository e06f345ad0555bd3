"""What a bundle says of its own speed: measured where it was made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedRecord:
    """How long a pipeline takes for one item on one thread, and the memory of a process that answers it."""

    milliseconds: float
    """The median answer, on the clock."""
    first_milliseconds: float
    """From nothing to the first answer: a new process, the runtime and the graph loaded."""
    peak_bytes: int | None
    """The most memory of that process, Python and the runtime included; None where the system does not say."""
    case: str
    """The golden case that was answered."""
    machine: str
    onnxruntime: str
