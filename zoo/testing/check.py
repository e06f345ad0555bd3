"""One check as data, and how it is run: whatever happens inside becomes a result with a sentence."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.api.errors import MissingExtra, ZooError, describe_error
from zoo.api.specs import ModelSpec
from zoo.registry.name_resolution import RegistryEntry
from zoo.testing.check_context import CheckContext
from zoo.testing.score import Failing, Group, NotApplicable, Result, Status

Ask = Callable[[CheckContext, Any], str]
"""Takes the context and the subject (a plugin or a registry entry); returns the detail, or raises Failing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One requirement that every plugin must meet."""

    group: Group
    name: str
    """As `ModelSpec.conformance` names it: batch_independence."""
    ask: Ask

    @property
    def promise(self) -> str:
        """What the check requires: the first line of the function's docstring."""
        return (self.ask.__doc__ or "").strip().split("\n")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One check of one subject, about to be run."""

    check: Check
    name: str
    """The subject's name."""
    subject: Any
    model: RegistryEntry[ModelSpec] | None = None
    """The model whose declared exceptions apply."""
    absent: str = ""
    """Why there is nothing to check."""

    def run(self, context: CheckContext) -> Result:
        """The result; never raises but for Ctrl-C."""
        start = time.monotonic()
        status, detail, next_step = self._outcome(context)
        return Result(
            group=self.check.group,
            check=self.check.name,
            subject=self.name,
            status=status,
            detail=detail,
            next_step=next_step,
            seconds=round(time.monotonic() - start, 3),
        )

    def _outcome(self, context: CheckContext) -> tuple[Status, str, str]:
        """Status, detail and next step."""
        if self.absent:
            return "skipped", self.absent, ""
        declared = self.model.spec.conformance.get(self.check.name) if self.model else None
        if declared is not None:
            return "skipped", f"the plugin declares that it does not apply: {declared}", ""
        if self.model and self.model.spec.from_weights:
            return "skipped", f"it is built from weights alone: {self.model.spec.from_weights}", ""
        missing = context.catalog.missing(self.model) if self.model else ()
        if self.model and missing:
            package = f"{self.model.plugin.distribution}[{self.model.spec.extra}]"
            return "skipped", f"it needs {', '.join(missing)}, not installed here", f"pip install '{package}'"
        try:
            return "passed", self.check.ask(context, self.subject), ""
        except (Exception, SystemExit) as error:
            return _outcome_of_error(error)


def _outcome_of_error(error: BaseException) -> tuple[Status, str, str]:
    """Status, detail and next step of an error in a check."""
    match error:
        case Failing():
            return "failed", str(error.args[0]), error.next_step
        case NotApplicable():
            return "skipped", str(error.args[0]), error.next_step
        case MissingExtra():
            return "skipped", error.message, error.hint
        case ZooError():
            return "failed", error.message, error.hint or _raised_at(error)
        case _:
            return "failed", describe_error(error), _raised_at(error)


def _raised_at(error: BaseException) -> str:
    """File and line that raised the first cause of an error."""
    while error.__cause__ is not None:
        error = error.__cause__
    frames = traceback.extract_tb(error.__traceback__)
    return f"see {Path(frames[-1].filename).name}:{frames[-1].lineno}, {frames[-1].filename}" if frames else ""
