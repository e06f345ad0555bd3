"""What ends all processes of a training because one of them failed, and which process tells it.  Without torch."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from typing import TypeVar

from zoo.api.errors import ZooError
from zoo.training.engine.place import launched

E = TypeVar("E", bound=BaseException)

_TOLD = "_zoo_told"


class ProcessFailed(ZooError):
    """Another process of the training failed; in its words, with its exit code."""

    kind = "process"

    def __init__(self, rank: int, world: int, *, message: str, hint: str, exit_code: int) -> None:
        super().__init__(f"the process with rank {rank} of {world} failed: {message}", hint=hint)
        self.names: tuple[str, ...] = ()
        self.exit_code = exit_code  # type: ignore[misc]


class ProcessLost(ProcessFailed):
    """Another process of the training was killed, or its machine is gone."""

    def __init__(self, names: Sequence[str], world: int, *, codes: Mapping[int, int]) -> None:
        which = {0: "one of the processes", 1: "the process with rank "}.get(len(names), "the processes with rank ")
        which += ", ".join(names)
        how = _how(next(iter(codes.values()), None))
        ZooError.__init__(
            self,
            f"of {world} processes {which} {how}, and the others cannot go on without it",
            hint="look at what it said, and whether its machine had enough memory",
        )
        self.names = tuple(names)


def _how(code: int | None) -> str:
    if code is None:
        return "no longer answers"
    return f"ended with exit code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"


def mark_told(error: E) -> E:
    """The error, marked as one that another process tells."""
    setattr(error, _TOLD, True)
    return error


def is_told(error: BaseException) -> bool:
    """Whether another process tells this error: it was marked, or every process of this machine has met it alike.

    What a user did wrong every process finds before they come together; the first one of each machine tells it.
    """
    if getattr(error, _TOLD, False):
        return True
    place = launched()
    return place is not None and place.local_rank > 0 and getattr(error, "exit_code", 3) == 2
