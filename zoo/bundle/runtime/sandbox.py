"""ONNX Runtime in a process of its own, with limits: a crash, a hang or an allocation bomb becomes a sentence.

with Runtime() as runtime:                      # the process starts at once and imports in the background
    session = runtime.session(Path("model.onnx"))
    answers = runtime.run(session, {"image": image})
"""

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
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from zoo.api.errors import BadFile, SandboxError

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

WORKER = Path(__file__).with_name("worker.py")
OPT_OUT = {"ORT_DISABLE_TELEMETRY": "1"}
"""Read by ONNX Runtime when it is loaded: since 1.29 its builds for Linux send telemetry and leave an identifier in
TMPDIR, which `disable_telemetry_events()` does not stop."""
MAX_MODEL_BYTES = 1_900_000_000
_NODE = re.compile(r"running (\w+) node\. Name:\s*'([^']*)'")


class RuntimeRefused(BadFile):
    """ONNX Runtime's own refusal (an invalid graph, a wrong shape); the process is still alive."""

    kind = "runtime-refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one sandboxed process may use."""

    memory_mb: int = 8192
    """Address space."""
    cpu_seconds: float = 120.0
    """Processor time for one call."""
    wall_seconds: float = 120.0
    """Time on the clock for one call."""

    def in_words(self) -> str:
        """What holds on this system, for the environment of a report."""
        if sys.platform == "linux":
            return f"{self.memory_mb} MB, {self.cpu_seconds:g} s of CPU and {self.wall_seconds:g} s a call"
        return f"{self.wall_seconds:g} s a call; no memory limit on {sys.platform}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorPort:
    """An input or output as the runtime declares it."""

    name: str
    type: str
    """As in "tensor(float)"."""
    shape: tuple[int | str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One loaded graph."""

    id: int
    title: str
    inputs: tuple[TensorPort, ...]
    outputs: tuple[TensorPort, ...]
    metadata: Mapping[str, str]


class Runtime:
    """One sandboxed process.  After a SandboxError the next call starts a new one; its sessions must be opened anew."""

    def __init__(self, *, limits: Limits | None = None, threads: int = 1) -> None:
        self.limits = limits or Limits()
        self.threads = threads
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._pending = b""
        self._models = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and return at once."""
        shared = Path("/dev/shm")
        parent = shared if shared.is_dir() and os.access(shared, os.W_OK) else None
        self._folder = Path(tempfile.mkdtemp(prefix="zoo-", dir=parent))
        settings = {
            "folder": str(self._folder),
            "threads": self.threads,
            "memory_mb": self.limits.memory_mb,
            "cpu_seconds": self.limits.cpu_seconds,
        }
        with (self._folder / "stderr").open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(WORKER), json.dumps(settings)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=self._folder,
                env={**os.environ, **OPT_OUT, "OMP_NUM_THREADS": str(self.threads), "OPENBLAS_NUM_THREADS": "1"},
            )
        self._pending = b""

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
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def versions(self) -> dict[str, str]:
        """The versions inside the sandbox, by package: onnxruntime, numpy."""
        return {name: str(version) for name, version in self._ask({"do": "hello"}, "starting").items()}

    def session(self, model: bytes | Path, *, title: str = "", optimize: bool = True) -> Session:
        """Load a graph.  RuntimeRefused when it is invalid; SandboxError when loading it kills the process."""
        title = title or (model.name if isinstance(model, Path) else "the model")
        path = self._place(model, title)
        try:
            reply = self._ask({"do": "open", "model": str(path), "optimize": optimize}, f"loading {title}")
        finally:
            if isinstance(model, bytes):
                path.unlink(missing_ok=True)
        return Session(
            id=reply["session"],
            title=title,
            inputs=_ports(reply["inputs"]),
            outputs=_ports(reply["outputs"]),
            metadata=reply["metadata"],
        )

    def close(self, session: Session) -> None:
        """Forget a session and free its memory."""
        self._ask({"do": "close", "session": session.id}, f"closing {session.title}")

    def run(
        self, session: Session, feeds: Mapping[str, Array], *, outputs: Sequence[str] | None = None
    ) -> dict[str, Array]:
        """The outputs by name, all of them or those asked for.  Errors as in `session`."""
        try:
            return self._exchange(session, feeds, outputs)
        except FileNotFoundError:
            self.stop()
            raise SandboxError(f"running {session.title} failed: the folder of its process was removed") from None

    def _exchange(
        self, session: Session, feeds: Mapping[str, Array], outputs: Sequence[str] | None
    ) -> dict[str, Array]:
        import numpy as np  # noqa: PLC0415  this file is imported where only listing is wanted

        self._alive()
        assert self._folder is not None
        table: list[list[Any]] = []
        with (self._folder / "feeds").open("wb") as file:
            for name, value in feeds.items():
                array = np.ascontiguousarray(value)
                table.append([name, array.dtype.str, list(array.shape), file.tell(), array.nbytes])
                file.write(array.data)
                file.write(bytes(-array.nbytes % 64))
            size = file.tell()
        request = {"do": "run", "session": session.id, "feeds": table, "bytes": size, "outputs": list(outputs or ())}
        reply = self._ask(request, f"running {session.title}")
        with (self._folder / "answers").open("rb") as file:
            answers = {}
            for name, dtype, shape, start, nbytes in reply["answers"]:
                file.seek(start)
                answers[name] = np.frombuffer(bytearray(file.read(nbytes)), dtype=dtype).reshape(shape)
        return answers

    # --- the pipe ---

    def _alive(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self.start()
        assert self._process is not None
        return self._process

    def _place(self, model: bytes | Path, title: str) -> Path:
        self._alive()
        assert self._folder is not None
        size = model.stat().st_size if isinstance(model, Path) else len(model)
        if size > MAX_MODEL_BYTES:
            raise BadFile(f"{title} has {size:,} bytes; a single ONNX file can hold {MAX_MODEL_BYTES:,} at most")
        if isinstance(model, Path):
            return model.resolve()
        self._models += 1
        path = self._folder / f"model-{self._models}"
        path.write_bytes(model)
        return path

    def _ask(self, request: dict[str, Any], doing: str) -> dict[str, Any]:
        process = self._alive()
        assert process.stdin is not None
        line = json.dumps({**request, "cpu_seconds": self.limits.cpu_seconds}) + "\n"
        try:
            process.stdin.write(line.encode())
            process.stdin.flush()
        except BrokenPipeError:
            raise self._died(doing) from None
        reply: dict[str, Any] = json.loads(self._read_line(doing))
        if "error" not in reply:
            return reply
        if reply["memory"]:
            self.stop()
            raise SandboxError(
                f"{doing} failed: ONNX Runtime wanted more than the {self.limits.memory_mb} MB it may have"
                f"{_node(reply['error'])}"
            )
        raise RuntimeRefused(f"{doing} failed: ONNX Runtime says {_shorten(reply['error'])}")

    def _read_line(self, doing: str) -> bytes:
        process = self._alive()
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._pending:
                if not selector.select(self.limits.wall_seconds):
                    self.stop()
                    raise SandboxError(f"{doing} took longer than {self.limits.wall_seconds:g} s and was stopped")
                read = os.read(process.stdout.fileno(), 1 << 16)
                if not read:
                    raise self._died(doing)
                self._pending += read
        line, self._pending = self._pending.split(b"\n", 1)
        return line

    def _died(self, doing: str) -> SandboxError:
        process = self._alive()
        assert self._folder is not None
        code = process.wait()
        stderr = (self._folder / "stderr").read_text(errors="replace")
        self.stop()
        if code == -getattr(signal, "SIGXCPU", 0):
            return SandboxError(f"{doing} used more than {self.limits.cpu_seconds:g} s of CPU and was stopped")
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        last = [line for line in stderr.splitlines() if line.strip()][-1:] if code > 0 else []
        return SandboxError(f"{doing} crashed ONNX Runtime: its process {how}{''.join(f' ({line})' for line in last)}")


def _ports(rows: Sequence[Sequence[Any]]) -> tuple[TensorPort, ...]:
    return tuple(TensorPort(name=name, type=type, shape=tuple(shape)) for name, type, shape in rows)


def _node(message: str) -> str:
    match = _NODE.search(message)
    return f", in the {match[1]} node {match[2]!r}" if match else ""


def _shorten(message: str) -> str:
    text = " ".join(message.split())
    return text if len(text) <= 400 else text[:400] + " …"
