"""Signals that stop a training: the step is finished and saved; a second signal ends the process at once."""

from __future__ import annotations

import os
import signal
import stat
import threading
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
"""Stop a training whatever was to happen on them."""
NOTICES: Final = tuple(getattr(signal, name) for name in ("SIGHUP", "SIGUSR1") if hasattr(signal, name))
"""Of a closed terminal, and of a scheduler before it takes the machine back: a handler of the program's own stays."""


class EndsCommand:
    """Whose methods, as handlers of signals, only end the command: a training may put its own in their place."""


class StopSignals:
    """A context in which these signals only set `received`."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._handlers: dict[int, Any] = {}

    @property
    def name(self) -> str:
        """Of the signal that was received, as in SIGTERM; empty where none was."""
        return signal.Signals(self.received).name if self.received else ""

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            numbers = (*SIGNALS, *(number for number in NOTICES if _may_replace(signal.getsignal(number))))
            self._handlers = {number: signal.signal(number, self._note) for number in numbers}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        if number in NOTICES:
            leave_closed_terminal()
            self.received = self.received or number  # a closed terminal may say so twice, the system and the shell
        elif self.received is not None:
            os._exit(128 + number)
        else:
            self.received = number


def leave_closed_terminal() -> None:
    """Send what is printed from now on nowhere, where it went to a terminal that was closed: it would be an error."""
    for descriptor in (1, 2):
        with suppress(OSError):
            status = os.fstat(descriptor)
            if stat.S_ISCHR(status.st_mode) and not os.isatty(descriptor):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, descriptor)
                os.close(nowhere)


def _may_replace(handler: Any) -> bool:
    return handler == signal.SIG_DFL or isinstance(getattr(handler, "__self__", None), EndsCommand)
