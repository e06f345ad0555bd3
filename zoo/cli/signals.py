"""Signals that end a command: an exception, so that what is open is closed and what is temporary is removed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

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


@contextmanager
def ending_signals() -> Iterator[None]:
    """Inside, such a signal raises Terminated; one that is ignored (nohup) or already handled stays as it is."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.SIG_DFL for number in ENDING if signal.getsignal(number) == signal.SIG_DFL}
    for number in before:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _: FrameType | None) -> None:
    raise Terminated(number)
