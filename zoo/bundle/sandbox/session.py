"""A loaded graph, and how long it takes, as the sandboxed process tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorPort:
    """An input or output as the runtime declares it."""

    name: str
    type: str
    """As in "tensor(float)"."""
    shape: tuple[int | str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One loaded graph."""

    id: int
    title: str
    inputs: tuple[TensorPort, ...]
    outputs: tuple[TensorPort, ...]
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Single runs of some sessions, in blocks that take turns."""

    runs: tuple[tuple[tuple[float, ...], ...], ...]
    """Seconds, on the clock or of the processor: per session, per block of runs, per run."""
    peak_bytes: int | None
    """The most memory that the process has held until then; None where the system does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTimes:
    """One node as the runtime executes it."""

    name: str
    """As in the file, or with what the runtime adds where it merged or inserted nodes."""
    op: str
    seconds: tuple[float, ...]
    """Of every run, the first among them, which is warm-up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Some runs of one graph, node by node."""

    runs: tuple[float, ...]
    """Seconds on the clock of every run but the first."""
    nodes: tuple[NodeTimes, ...]
    """In the order in which they are executed."""


def session_of(reply: Mapping[str, Any], title: str) -> Session:
    """What the process replied to the request to open a graph."""
    return Session(
        id=reply["session"],
        title=title,
        inputs=_ports(reply["inputs"]),
        outputs=_ports(reply["outputs"]),
        metadata=reply["metadata"],
    )


def _ports(rows: Sequence[Sequence[Any]]) -> tuple[TensorPort, ...]:
    return tuple(TensorPort(name=name, type=type, shape=tuple(shape)) for name, type, shape in rows)
