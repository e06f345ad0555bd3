"""The results of the conformance kit: one for each check and subject, and the score of a plugin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Group = Literal["declaration", "model", "trainer", "weights", "export", "runtime", "callback"]
Status = Literal["passed", "failed", "skipped"]

GROUPS: Final[tuple[Group, ...]] = ("declaration", "model", "trainer", "weights", "export", "runtime", "callback")


class Failing(Exception):
    """Raised by a check that fails: `args[0]` says what is wrong, `next_step` what to do."""

    def __init__(self, message: str, *, next_step: str = "") -> None:
        super().__init__(message)
        self.next_step = next_step


class NotApplicable(Exception):
    """Raised by a check that does not apply to its subject: `args[0]` says why, `next_step` what would change that."""

    def __init__(self, reason: str, *, next_step: str = "") -> None:
        super().__init__(reason)
        self.next_step = next_step


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of one check of one subject."""

    group: Group
    check: str
    subject: str
    """The plugin's name, or the full name of a model, a trainer, a set of weights, a runtime or a callback."""
    status: Status
    detail: str = ""
    """What was measured, or why the check was skipped."""
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
    """Sentences about what was not checked."""
    seconds: float = 0.0

    def count(self, status: Status) -> int:
        """The number of results with this status."""
        return sum(result.status == status for result in self.results)

    @property
    def holds(self) -> bool:
        """True when no check failed and at least one passed."""
        return self.count("failed") == 0 and self.count("passed") > 0
