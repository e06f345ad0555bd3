"""Every error that zoo raises on purpose: a sentence for a person, a next step, and an exit code.

The library raises these; only the command line prints them.  The exit codes are

    1  the work was tried and the answer is no
    2  bad usage or bad input
    3  zoo itself (or a plugin, the disk, the network) failed
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar


class ZooError(Exception):
    """An error meant for a person: `message` says who, what and where; `hint` says what to do next."""

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


def describe_error(error: BaseException) -> str:
    """Type and message of any error in one line, as in "KeyError: 'label'"; also where its __str__ fails."""
    try:
        words = " ".join(str(error).split())
    except Exception:
        words = ""
    kind = type(error).__name__
    return f"{kind}: {words[:MAX_MESSAGE_CHARS]}{'…' if len(words) > MAX_MESSAGE_CHARS else ''}" if words else kind


MAX_MESSAGE_CHARS = 400
"""A longer message of a foreign error is cut."""


class ZooDeprecationWarning(FutureWarning):
    """Something that a plugin uses works still and will be removed; the message says what to use instead."""


@cache
def warn_deprecated(message: str, *, stacklevel: int = 3) -> None:
    """Warn with a ZooDeprecationWarning, once per process and message: plugins are asked again and again."""
    warnings.warn(message, ZooDeprecationWarning, stacklevel=stacklevel)


# --- 2: bad usage or bad input ---------------------------------------------------------------------


class UsageError(ZooError):
    """A wrong option, combination of options or value."""

    kind = "usage"
    exit_code = 2


class UnknownName(UsageError):
    """A model, task, trainer, plugin or weights tag that no plugin offers."""

    kind = "unknown-name"


class AmbiguousName(UsageError):
    """A bare name that more than one plugin offers."""

    kind = "ambiguous-name"


class MissingExtra(UsageError):
    """A model whose optional dependencies are not installed."""

    kind = "missing-extra"


class BadFile(UsageError):
    """A file that cannot be read: truncated, hostile, of a newer schema, or not what it claims to be."""

    kind = "bad-file"


class OutputExists(UsageError):
    """An output path that exists; nothing is overwritten unasked."""

    kind = "output-exists"


@dataclass(frozen=True, slots=True)
class BadSample:
    """One thing wrong with the data: where it is, why it is wrong, and what to do."""

    where: str
    """A file, "FILE line N", or a name."""
    reason: str
    """What is wrong with it."""
    fix: str
    """What to do about it."""

    @property
    def file(self) -> str:
        """`where` without the line: "labels/7.txt" of "labels/7.txt line 3"."""
        file, mark, line = self.where.rpartition(" line ")
        return file if mark and line.isdecimal() else self.where

    @property
    def line(self) -> int | None:
        """The line that `where` names, counted from 1; None where it names none."""
        _, mark, line = self.where.rpartition(" line ")
        return int(line) if mark and line.isdecimal() else None


class DataError(UsageError):
    """Data that cannot be trained on; `problems` lists every bad sample found."""

    kind = "data"

    def __init__(self, message: str, *, problems: Sequence[BadSample] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


# --- 1: tried, and the answer is no ----------------------------------------------------------------


class Refused(ZooError):
    """The work was tried and the answer is no."""

    kind = "refused"
    exit_code = 1


class NotProved(Refused):
    """An export whose proof did not pass; nothing was published."""

    kind = "not-proved"


class Diverged(Refused):
    """A training whose loss became infinite or not a number."""

    kind = "diverged"


class HashMismatch(Refused):
    """A file whose bytes are not the ones its record names."""

    kind = "hash-mismatch"


# --- 3: zoo, a plugin, the disk or the network failed ----------------------------------------------


class PluginError(ZooError):
    """A plugin that broke its contract or raised; the message names plugin, distribution and hook."""

    kind = "plugin"


class NetworkError(ZooError):
    """A download that failed."""

    kind = "network"


class DiskError(ZooError):
    """A file that could not be written: no space, no permission."""

    kind = "disk"


class OutOfMemory(ZooError):
    """Work for which the memory of the machine, or its limit, does not suffice."""

    kind = "memory"


class SandboxError(ZooError):
    """A sandboxed process that crashed, hung or ran out of its memory."""

    kind = "sandbox"
