"""The sandboxed process of a runtime: started, asked over a pipe, ended; whatever ends it becomes a sentence."""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final

from zoo.api.errors import SandboxError
from zoo.bundle.sandbox.installed_runtime import InstalledRuntime
from zoo.bundle.sandbox.limits import Limits
from zoo.bundle.sandbox.refusals import OperatorRefused, RuntimeRefused, changed
from zoo.runs.scratch import SHARED_MEMORY, ScratchFolder

WORKER = Path(__file__).with_name("worker.py")
OPT_OUT = {"ORT_DISABLE_TELEMETRY": "1"}
"""Read by ONNX Runtime when it is loaded: since 1.29 its builds for Linux send telemetry and leave an identifier in
TMPDIR, which `disable_telemetry_events()` does not stop."""
ROOMY = 2 << 30
"""Bytes of free shared memory from which models and tensors are exchanged there: containers often have 64 MB."""
WORKING: Final = 0.05
"""The share of the time on the clock that a call must have worked, so that it is waited for."""
READY = getattr(selectors, "PollSelector", selectors.DefaultSelector)
"""What waits for an answer: unlike epoll, poll wakes up where another thread closes the pipe."""
_NODE = re.compile(r"running (\w+) node\. Name:\s*'([^']*)'")


class WorkerProcess:
    """The process behind a pipe: requests and replies are JSON lines.

    It is started again by the first request after it ended.
    """

    def __init__(self, installed: InstalledRuntime, *, limits: Limits, threads: int) -> None:
        self.installed = installed
        self.limits = limits
        self.threads = threads
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: ScratchFolder | None = None
        self._starting = threading.Lock()
        self._closed = False
        self._pending = b""

    def start(self) -> None:
        """Start the process and return at once; SandboxError after `interrupt`."""
        with self._starting:
            if self._closed:
                raise SandboxError(f"{self.installed.title}'s process was stopped, because zoo is ending")
            self._scratch = ScratchFolder.make(in_memory=_has_room(SHARED_MEMORY))
            self._process = self._launch(self._scratch.path)
            self._pending = b""

    def _launch(self, folder: Path) -> subprocess.Popen[bytes]:
        settings = {
            "engine": self.installed.engine,
            "setup": self.installed.setup,
            "suffix": self.installed.suffix,
            "local_sockets": self.installed.local_sockets,
            "path": [str(Path(entry).absolute()) for entry in sys.path],
            "folder": str(folder),
            "threads": self.threads,
            "memory_mb": self.limits.memory_mb,
            "cpu_seconds": self.limits.cpu_seconds,
        }
        with (folder / "stderr").open("wb") as stderr:
            return subprocess.Popen(
                [sys.executable, "-P", str(WORKER), json.dumps(settings)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=folder,
                env={**os.environ, **OPT_OUT, "OMP_NUM_THREADS": str(self.threads), "OPENBLAS_NUM_THREADS": "1"},
            )

    def interrupt(self) -> None:
        """From any thread: end the process for good, so that a thread that waits for its answer gets a SandboxError."""
        self._closed = True
        with self._starting:
            if self._process is not None:
                self._process.kill()

    def stop(self) -> None:
        """End the process and remove its folder."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        scratch, self._scratch = self._scratch, None
        if scratch is not None:
            scratch.remove()

    def _alive(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self.start()
        assert self._process is not None
        return self._process

    def folder(self) -> Path:
        """Where arrays and models are exchanged; the process is started for it."""
        self._alive()
        assert self._scratch is not None
        return self._scratch.path

    def ask(self, request: dict[str, Any], doing: str) -> dict[str, Any]:
        """The reply to a request; errors as in `Runtime.session`.  `doing` begins their sentences."""
        process, folder = self._alive(), self.folder()
        assert process.stdin is not None
        line = json.dumps({**request, "cpu_seconds": self.limits.cpu_seconds}) + "\n"
        try:
            process.stdin.write(line.encode())
            process.stdin.flush()
        except BrokenPipeError:
            raise self._died(process, folder, doing) from None
        reply: dict[str, Any] = json.loads(self._read_line(process, folder, doing))
        if "error" not in reply:
            return reply
        if reply.get("changed"):
            raise changed(doing.removeprefix("loading "))
        if reply["memory"]:
            self.stop()
            raise SandboxError(
                f"{doing} failed: {self.installed.title} wanted more than the {self.limits.memory_mb} MB it may have"
                f"{_node(reply['error'])}"
            )
        message = f"{doing} failed: {self.installed.title} says {_shorten(reply['error'])}"
        if reply.get("operator"):
            raise OperatorRefused(message, operator=reply["operator"], node=reply["node"])
        raise RuntimeRefused(message)

    def _read_line(self, process: subprocess.Popen[bytes], folder: Path, doing: str) -> bytes:
        assert process.stdout is not None
        worked = _cpu_seconds(process)
        with READY() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._pending:
                if not selector.select(self.limits.wall_seconds):
                    before, worked = worked, _cpu_seconds(process)
                    if worked - before > WORKING * self.limits.wall_seconds:
                        continue
                    self.stop()
                    raise SandboxError(f"{doing} took longer than {self.limits.wall_seconds:g} s and was stopped")
                try:
                    read = os.read(process.stdout.fileno(), 1 << 16)
                except (OSError, ValueError):  # another thread stopped it
                    read = b""
                if not read:
                    raise self._died(process, folder, doing)
                self._pending += read
        line, self._pending = self._pending.split(b"\n", 1)
        return line

    def _died(self, process: subprocess.Popen[bytes], folder: Path, doing: str) -> SandboxError:
        code = process.wait()
        if self._closed:
            return SandboxError(f"{doing} was stopped, because zoo is ending")
        stderr = (folder / "stderr").read_text(errors="replace")
        self.stop()
        if code == -getattr(signal, "SIGXCPU", 0):
            return SandboxError(f"{doing} used more than {self.limits.cpu_seconds:g} s of CPU and was stopped")
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        last = [line for line in stderr.splitlines() if line.strip()][-1:] if code > 0 else []
        return SandboxError(
            f"{doing} crashed {self.installed.title}: its process {how}{''.join(f' ({line})' for line in last)}"
        )


def _cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """The CPU time that a process and its children have used; 0 where the system sets no limit, the clock counts."""
    if sys.platform != "linux":
        return 0.0
    ticks, folder = 0, Path("/proc")
    try:
        children = [path.read_text().split() for path in (folder / str(process.pid) / "task").glob("*/children")]
        for pid in (str(process.pid), *(child for pids in children for child in pids)):
            fields = (folder / pid / "stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])  # utime and stime
    except OSError:
        return 0.0
    return ticks / os.sysconf("SC_CLK_TCK")


def _has_room(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free >= ROOMY
    except OSError:
        return False


def _node(message: str) -> str:
    found = _NODE.search(message)
    return f", in the {found[1]} node {found[2]!r}" if found else ""


def _shorten(message: str) -> str:
    text = " ".join(message.split())
    return text if len(text) <= 400 else text[:400] + " …"
