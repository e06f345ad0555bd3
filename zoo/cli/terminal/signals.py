"""Signals that end a command: an exception, so that what is open is closed and what is temporary is removed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ExtensionFileLoader
from types import FrameType
from typing import Final

from zoo.training.loop.signals import EndsCommand

AGAIN_AFTER: Final = 0.05
"""Seconds after which a signal that came while a module in C was being initialised is sent again."""
LOADS_EXTENSION: Final = frozenset(
    {ExtensionFileLoader.create_module.__code__, ExtensionFileLoader.exec_module.__code__}
)
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
        self._timers: list[threading.Timer] = []

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Raise what the signal stands for, wherever the command is; while a module in C is initialised, after that.

        Such a module may run Python while it is initialised, and an exception there may abort the process: then nothing
        is closed and nothing is removed.
        """
        error = Interrupted() if number == signal.SIGINT else Terminated(number)
        self._first = self._first or error
        if not _is_initialising(frame):
            raise error
        timer = threading.Timer(AGAIN_AFTER, _send, (number,))
        timer.daemon = True
        self._timers.append(timer)
        timer.start()

    def close(self) -> None:
        """Send no signal again: the command is over."""
        for timer in self._timers:
            timer.cancel()

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
        received.close()
        for number, handler in before.items():
            signal.signal(number, handler)


def _send(number: int) -> None:
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, number)  # it wakes the main thread where that waits
    else:
        signal.raise_signal(number)


def _is_initialising(frame: FrameType | None) -> bool:
    """Whether an extension module is being loaded, however deep in that the frame is."""
    while frame is not None:
        if frame.f_code in LOADS_EXTENSION:
            return True
        frame = frame.f_back
    return False
