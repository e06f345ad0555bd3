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
    """An error meant for a person: `message` says who, what and where; `hint` says what to do next.

    Examples:
        >>> try:
        ...     zoo.predict("nothing@digits", "seven.png")
        ... except zoo.ZooError as error:
        ...     print(error.exit_code, error.kind)
        2 unknown-name
    """

    kind: ClassVar[str] = "error"
    """Which kind of error, for programs: "bad-file"."""
    exit_code: ClassVar[int] = 3
    """What the command line ends with."""

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
    """Something that a plugin uses works still and will be removed; the message says what to use instead.

    Examples:
        >>> issubclass(zoo.ZooDeprecationWarning, FutureWarning)
        True
    """


@cache
def warn_deprecated(message: str, *, stacklevel: int = 3) -> None:
    """Warn with a ZooDeprecationWarning, once per process and message: plugins are asked again and again."""
    warnings.warn(message, ZooDeprecationWarning, stacklevel=stacklevel)


# --- 2: bad usage or bad input ---------------------------------------------------------------------


class UsageError(ZooError):
    """A wrong option, combination of options or value.

    Examples:
        >>> zoo.UsageError("--epochs is 0", hint="give 1 or more").exit_code
        2
    """

    kind = "usage"
    exit_code = 2


class UnknownName(UsageError):
    """A model, task, trainer, plugin or weights tag that no plugin offers.

    Examples:
        >>> zoo.list_models(task="image-classificaton")
        Traceback (most recent call last):
        zoo.api.errors.UnknownName: ...
    """

    kind = "unknown-name"


class AmbiguousName(UsageError):
    """A bare name that more than one plugin offers.

    Examples:
        >>> raise zoo.AmbiguousName("tiny is offered by acme and beta", hint="say acme/tiny or beta/tiny")
        Traceback (most recent call last):
        zoo.api.errors.AmbiguousName: tiny is offered by acme and beta
        say acme/tiny or beta/tiny
    """

    kind = "ambiguous-name"


class MissingExtra(UsageError):
    """A model whose optional dependencies are not installed.

    Examples:
        >>> zoo.MissingExtra("timm is not installed", hint="pip install 'edgezoo[timm]'").hint
        "pip install 'edgezoo[timm]'"
    """

    kind = "missing-extra"


class BadFile(UsageError):
    """A file that cannot be read: truncated, hostile, of a newer schema, or not what it claims to be.

    Examples:
        >>> issubclass(zoo.BadFile, zoo.UsageError), zoo.BadFile.exit_code
        (True, 2)
    """

    kind = "bad-file"


class OutputExists(UsageError):
    """An output path that exists; nothing is overwritten unasked.

    Examples:
        >>> issubclass(zoo.OutputExists, zoo.UsageError)
        True
    """

    kind = "output-exists"


@dataclass(frozen=True, slots=True)
class BadSample:
    """One thing wrong with the data: where it is, why it is wrong, and what to do.

    Examples:
        >>> zoo.BadSample(where="cat/3.jpg", reason="it is cut short", fix="copy it again").where
        'cat/3.jpg'
    """

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
    """Data that cannot be trained on; `problems` lists every bad sample found.

    Examples:
        >>> bad = zoo.BadSample(where="a.csv, line 3", reason="no label", fix="write one")
        >>> zoo.DataError("a.csv cannot be trained on", problems=[bad]).problems[0].reason
        'no label'
    """

    kind = "data"

    def __init__(self, message: str, *, problems: Sequence[BadSample] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


# --- 1: tried, and the answer is no ----------------------------------------------------------------


class Refused(ZooError):
    """The work was tried and the answer is no.

    Examples:
        >>> zoo.Refused("the bundle differs from its hashes").exit_code
        1
    """

    kind = "refused"
    exit_code = 1


class NotProved(Refused):
    """An export whose proof did not pass; nothing was published.

    Examples:
        >>> issubclass(zoo.NotProved, zoo.Refused), zoo.NotProved.exit_code
        (True, 1)
    """

    kind = "not-proved"


class Diverged(Refused):
    """A training whose loss became infinite or not a number.

    Examples:
        >>> issubclass(zoo.Diverged, zoo.Refused), zoo.Diverged.exit_code
        (True, 1)
    """

    kind = "diverged"


class HashMismatch(Refused):
    """A file whose bytes are not the ones its record names.

    Examples:
        >>> issubclass(zoo.HashMismatch, zoo.Refused)
        True
    """

    kind = "hash-mismatch"


# --- 3: zoo, a plugin, the disk or the network failed ----------------------------------------------


class PluginError(ZooError):
    """A plugin that broke its contract or raised; the message names plugin, distribution and hook.

    Examples:
        >>> zoo.PluginError.exit_code
        3
    """

    kind = "plugin"


class NetworkError(ZooError):
    """A download that failed.

    Examples:
        >>> zoo.NetworkError.exit_code
        3
    """

    kind = "network"


class DiskError(ZooError):
    """A file that could not be written: no space, no permission.

    Examples:
        >>> zoo.DiskError.exit_code
        3
    """

    kind = "disk"


class OutOfMemory(ZooError):
    """Work for which the memory of the machine, or its limit, does not suffice.

    Examples:
        >>> zoo.OutOfMemory.exit_code
        3
    """

    kind = "memory"


class SandboxError(ZooError):
    """A sandboxed process that crashed, hung or ran out of its memory.

    Examples:
        >>> zoo.SandboxError.exit_code
        3
    """

    kind = "sandbox"
