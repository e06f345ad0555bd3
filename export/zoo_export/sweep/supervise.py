"""A warm worker under limits: a model that takes too long or too much memory costs its process, not the sweep."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from zoo_export.sweep.rows import SweepRow, Verdict, row_of

POLL_SECONDS: Final = 0.25
MODELS_PER_WORKER: Final = 40
"""A worker is replaced after so many: libraries keep a little of every model."""
LAST_LINES: Final = 2
"""What a process said last, an error and its hint, goes into the row."""
PAGE: Final = os.sysconf("SC_PAGE_SIZE")
TICKS: Final = os.sysconf("SC_CLK_TCK")
"""Of the system's clock in a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepLimits:
    """What one model may use."""

    seconds: float = 600.0
    """On the clock."""
    memory_mb: int = 8_000
    """Of the worker and its children at once."""


class Worker:
    """A process that answers rows; a new one is started where it was ended."""

    def __init__(self, limits: SweepLimits, *, threads: int = 1) -> None:
        self.limits = limits
        self.threads = threads
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._answered = 0
        self._last: SweepRow | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def row(self, model: str, *, seed: int) -> SweepRow:
        """The row of a model, whatever becomes of the process."""
        ended = self._process is not None and self._process.poll() is not None  # while it had nothing to do
        if ended or self._answered >= MODELS_PER_WORKER:
            self.stop()
        process = self._process or self._start()
        assert process.stdin is not None
        start, peak, cpu = time.monotonic(), 0, cpu_seconds_of(process.pid)
        try:
            process.stdin.write(json.dumps({"model": model, "seed": seed}).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            return self._ended(model, start, peak)
        buffer = b""
        while not buffer.endswith(b"\n"):
            peak = max(peak, memory_of(process.pid))
            if beyond := self._beyond(start, peak):
                cpu = cpu_seconds_of(process.pid) - cpu
                self.stop()
                return self._without_answer(model, start, peak, *beyond, cpu=cpu)
            chunk = self._read()
            if chunk == b"":
                return self._ended(model, start, peak)
            buffer += chunk or b""
        self._answered += 1
        self._last = replace(row_of(json.loads(buffer)), memory_mb=peak >> 20)
        return self._last

    def stop(self) -> None:
        """End the process and all that it started."""
        process, self._process, self._answered = self._process, None, 0
        if process is None:
            return
        for sent in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, sent)
                process.wait(timeout=5)
                break
            except subprocess.TimeoutExpired:
                continue
            except ProcessLookupError:
                break
        process.wait()
        if self._errors is not None:
            self._errors.close()

    def _start(self) -> subprocess.Popen[bytes]:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  as long as the process
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.threads)}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "zoo_export.sweep.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        return self._process

    def _beyond(self, start: float, peak: int) -> tuple[Verdict, str] | None:
        """The verdict and the sentence of the limit that is exceeded; None within both."""
        if peak > self.limits.memory_mb << 20:
            return "MEMORY", f"it took more than {self.limits.memory_mb} MB"
        if time.monotonic() - start > self.limits.seconds:
            return "TIMEOUT", f"it took more than {self.limits.seconds:g} s"
        return None

    def _read(self) -> bytes | None:
        """What arrived within a moment: None for nothing, empty where the process has ended."""
        assert self._process is not None
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as ready:
            ready.register(self._process.stdout, selectors.EVENT_READ)
            if not ready.select(POLL_SECONDS):
                return None
        return os.read(self._process.stdout.fileno(), 1 << 20)

    def _ended(self, model: str, start: float, peak: int) -> SweepRow:
        """The row of a model that took its process along."""
        assert self._process is not None
        code = self._process.wait()
        assert self._errors is not None
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        reason = ": ".join([f"the process ended with {how}", *lines[-LAST_LINES:]])
        self.stop()
        return self._without_answer(model, start, peak, "CRASH", reason, cpu=0.0)

    def _without_answer(
        self, model: str, start: float, peak: int, verdict: Verdict, reason: str, *, cpu: float
    ) -> SweepRow:
        """A row from outside; the machine and the versions are those of the model before, where there was one."""
        return SweepRow(
            model=model,
            verdict=verdict,
            reason=reason,
            cpu_seconds=round(cpu, 1),
            seconds=round(time.monotonic() - start, 1),
            memory_mb=peak >> 20,
            machine=self._last.machine if self._last else "",
            versions=self._last.versions if self._last else {},
        )


def memory_of(pid: int) -> int:
    """Bytes that a process and its children hold, as the system counts them; 0 for one that has ended."""
    total = 0
    for process in _family(pid):
        with suppress(OSError, IndexError, ValueError):
            total += int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE
    return total


def cpu_seconds_of(pid: int) -> float:
    """CPU seconds of a process and its children, those that have ended too; 0 for one that has ended itself."""
    total = 0
    for process in _family(pid):
        with suppress(OSError, IndexError, ValueError):
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15]))
    return total / TICKS


def _family(pid: int) -> Iterator[int]:
    """A process and all that it has started and that still runs."""
    pending = [pid]
    while pending:
        current = pending.pop()
        yield current
        with suppress(OSError, ValueError):
            for task in Path(f"/proc/{current}/task").iterdir():
                pending += [int(child) for child in (task / "children").read_text().split()]
