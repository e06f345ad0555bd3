"""An error as the command line tells it: one sentence and the next step on stderr, a document under --json.

The exit codes of zoo's own errors stand with them, in `zoo.api.errors`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import click

from zoo.api.errors import DataError, ZooError, describe_error
from zoo.api.untrusted import one_line, visible
from zoo.cli.terminal.signals import Terminated
from zoo.runs.terminal import folded, terminal_columns

SHOWN_PROBLEMS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What went wrong, for people and for machines."""

    kind: str
    message: str
    hint: str
    exit_code: int
    problems: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """The failure that an exception means; whatever is not a ZooError is a plugin's fault or zoo's own."""
        from zoo.cli.terminal.system_errors import system_error  # noqa: PLC0415  only where something went wrong

        error = system_error(error) or error
        match error:
            case KeyboardInterrupt() | click.Abort() | Terminated():
                where = "\n".join(getattr(error, "__notes__", ()))
                told, code = ("interrupted", 130)
                if isinstance(error, Terminated):
                    told, code = f"stopped by {error}", error.exit_code
                return cls(kind="interrupted", message=told, hint=where, exit_code=code)
            case click.UsageError():
                message = f"{error.format_message().rstrip('.')}"
                hint = f"see `{error.ctx.command_path} --help`" if error.ctx else ""
                return cls(kind="usage", message=message, hint=hint, exit_code=2)
            case click.ClickException():
                return cls(kind="usage", message=error.format_message(), hint="", exit_code=2)
            case ZooError():
                problems = error.problems if isinstance(error, DataError) else ()
                return cls(
                    kind=error.kind,
                    message=error.message,
                    hint=error.hint,
                    exit_code=error.exit_code,
                    problems=tuple(f"{problem.where}: {problem.reason}; {problem.fix}" for problem in problems),
                )
        return cls._unexpected(error)

    @classmethod
    def _unexpected(cls, error: BaseException) -> Failure:
        from zoo.registry.discovery import plugin_at_fault  # noqa: PLC0415  only for what nobody expected

        if plugin := plugin_at_fault(error):
            return cls(
                kind="plugin",
                message=f"the {plugin} failed: {describe_error(error)}",
                hint="run it again with --traceback to see where, and report it to the plugin's author",
                exit_code=3,
            )
        return cls(
            kind="bug",
            message=f"zoo failed in a way it did not expect: {describe_error(error)}",
            hint="run it again with --traceback to see where, and report it",
            exit_code=3,
        )

    def show(self, error: BaseException, *, traceback: bool) -> None:
        """Print it on stderr; with `traceback`, where it came from first."""
        if traceback:
            from traceback import print_exception  # noqa: PLC0415  rarely wanted

            print_exception(error, file=sys.stderr)
        spelled = visible if self.kind == "usage" else one_line  # click has usage in several lines
        more = len(self.problems) - SHOWN_PROBLEMS
        said = [
            *spelled(f"Error: {self.message}").split("\n"),
            *(one_line(f"  {problem}") for problem in self.problems[:SHOWN_PROBLEMS]),
            *([f"  and {more} more"] if more > 0 else []),
            *(visible(self.hint).split("\n") if self.hint else []),
        ]
        for line in said:
            print("\n".join(folded(line, terminal_columns(sys.stderr))), file=sys.stderr)

    def document(self) -> dict[str, object]:
        """The same as JSON."""
        error: dict[str, object] = {"kind": self.kind, "message": self.message, "hint": self.hint}
        if self.problems:
            error["problems"] = list(self.problems)
        return {"error": error}
