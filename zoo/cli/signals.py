"""Signals that end a command: an exception, so that what is open is closed and what is temporary is removed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from zoo.training.signals import EndsCommand

ENDING: Final = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGUSR1") if hasattr(signal, name))
"""Ctrl-C (SIGINT) is an exception already."""


class Terminated(BaseException):
    """A signal asked the command to end."""

    def __init__(self, number: int) -> None:
        self.signal = signal.Signals(number)
        super().__init__(self.signal.name)

    @property
    def exit_code(self) -> int:
        """As shells have it: 128 and the signal's number."""
        return 128 + self.signal


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, as a type of its own.

    Python ends itself by SIGINT, whatever the command returned, once a KeyboardInterrupt proper has left code that
    came from a string (every dataclass is made by such code).
    """


class ReceivedSignals(EndsCommand):
    """The signals that asked the command to end, kept because code between here and there may swallow an exception."""

    def __init__(self) -> None:
        self._first: KeyboardInterrupt | Terminated | None = None

    def handle(self, number: int, _: FrameType | None) -> None:
        """Raise what the signal stands for, wherever the command is."""
        error = Interrupted() if number == signal.SIGINT else Terminated(number)
        self._first = self._first or error
        raise error

    def behind(self, error: BaseException) -> BaseException:
        """What ended the command: the first signal, where there was one, else this error.

        A signal in the middle of an import leaves a module half made, and an error about that module follows.
        """
        return self._first or error


@contextmanager
def ending_signals() -> Iterator[ReceivedSignals]:
    """Inside, such a signal raises Terminated or Interrupted; one that is ignored (nohup) or already handled
    stays as it is."""
    received = ReceivedSignals()
    before = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in (*ENDING, signal.SIGINT)}
        default = (signal.SIG_DFL, signal.default_int_handler)
        before = {number: handler for number, handler in handlers.items() if handler in default}
    for number in before:
        signal.signal(number, received.handle)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
