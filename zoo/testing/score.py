"""What the kit found: one result per check and subject, and the score of a plugin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Group = Literal["declaration", "model", "trainer", "weights", "export"]
Status = Literal["passed", "failed", "skipped"]

GROUPS: Final[tuple[Group, ...]] = ("declaration", "model", "trainer", "weights", "export")


class Failing(Exception):
    """A check that does not hold: `args[0]` says what was found, `next_step` what to do about it."""

    def __init__(self, message: str, *, next_step: str = "") -> None:
        super().__init__(message)
        self.next_step = next_step


class NotApplicable(Exception):
    """A check that says nothing about its subject: `args[0]` says why, `next_step` what would change that."""

    def __init__(self, reason: str, *, next_step: str = "") -> None:
        super().__init__(reason)
        self.next_step = next_step


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One check on one subject."""

    group: Group
    check: str
    subject: str
    """The plugin's name, or the full name of a model, a trainer or a set of weights."""
    status: Status
    detail: str = ""
    """What was found, or why nothing was looked at."""
    next_step: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """All results of a plugin."""

    plugin: str
    distribution: str
    version: str
    results: tuple[Result, ...]
    left_out: tuple[str, ...] = ()
    """Sentences about what nobody looked at."""
    seconds: float = 0.0

    def count(self, status: Status) -> int:
        """How many checks ended so."""
        return sum(result.status == status for result in self.results)

    @property
    def holds(self) -> bool:
        """Nothing failed, and something was looked at."""
        return self.count("failed") == 0 and self.count("passed") > 0
