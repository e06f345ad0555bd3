"""The other processes of this machine, started by the first one for `--devices`: the same command, once more each.

The first process watches the others, and each of them watches the first: none outlives the training.  Without torch.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from zoo.api.errors import UsageError

FIRST_PROCESS: Final = "ZOO_FIRST_PROCESS"
"""The variable in which a process finds the number of the first one, which started it."""
QUIET: Final = ("TORCH_CPP_LOG_LEVEL", "ERROR")
"""Without it PyTorch prints pages of C++ where another process is gone."""
WATCH_SECONDS: Final = 0.2
GRACE_SECONDS: Final = 10.0
"""So long a process may take to end by itself, after another one was lost or after the training."""


class OtherProcesses:
    """The processes that the first one started; they end with it."""

    def __init__(self, count: int, port: int) -> None:
        self._children = [_start(rank, count, port) for rank in range(1, count)]
        self._looking = threading.Lock()
        atexit.register(self.end)

    def lost(self) -> dict[int, int]:
        """The exit codes of the processes that have ended, by rank; that of a killed one is negative."""
        with self._looking:  # two threads that ask at once would get no answer
            codes = {rank: child.poll() for rank, child in enumerate(self._children, 1)}
        return {rank: code for rank, code in codes.items() if code is not None}

    def watch(self, give_up: Callable[[], None]) -> threading.Event:
        """Call `give_up` where a process is lost and this one has not noticed within the grace; until the event."""
        over = threading.Event()

        def look() -> None:
            while not over.wait(WATCH_SECONDS):
                if self.lost():
                    if not over.wait(GRACE_SECONDS):
                        give_up()
                    return

        threading.Thread(target=look, name="zoo-watch", daemon=True).start()
        return over

    def end(self) -> None:
        """Wait for the processes, which end after the first one has told them to; kill what does not."""
        until = time.monotonic() + GRACE_SECONDS
        for child in self._children:
            try:
                child.wait(max(until - time.monotonic(), 0.0))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _start(rank: int, world: int, port: int) -> subprocess.Popen[bytes]:
    """This very command as another process of the training."""
    command = sys.orig_argv[1:]
    if not command or command[0] in ("-i", "-"):
        raise UsageError(
            "--devices above 1 starts this program once more for each device, which an interactive session cannot",
            hint="write the lines into a file, or use `zoo train`",
        )
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world, "MASTER_PORT": port}
    environment = {**os.environ, **{name: str(value) for name, value in place.items()}}
    environment |= {"MASTER_ADDR": "127.0.0.1", FIRST_PROCESS: str(os.getpid()), QUIET[0]: QUIET[1]}
    return subprocess.Popen([sys.executable, *command], env=environment, stdin=subprocess.DEVNULL)


def end_with_first() -> None:
    """Let this process end when the one that started it is gone; nothing where a launcher started it.

    Within the grace it notices by itself, at its next exchange, and says so.
    """
    first = os.environ.get(FIRST_PROCESS)
    if first is None:
        return

    def look() -> None:
        while os.getppid() == int(first):
            time.sleep(WATCH_SECONDS)
        time.sleep(GRACE_SECONDS / 2)
        os._exit(3)

    threading.Thread(target=look, name="zoo-watch", daemon=True).start()
