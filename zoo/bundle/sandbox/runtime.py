"""A runtime in a process of its own, with limits: a crash, a hang or an allocation bomb becomes a sentence.

with Runtime() as runtime:                      # the process starts at once and imports in the background
    session = runtime.session(Path("model.onnx"))
    answers = runtime.run(session, {"image": image})
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from zoo.api.errors import BadFile, HashMismatch, SandboxError
from zoo.api.runtime import MAX_MEMORY_MB
from zoo.bundle.onnx_file.external_data import MAX_ONNX_BYTES, Weights, copied, external_tensors
from zoo.bundle.sandbox.installed_runtime import REFERENCE, InstalledRuntime, find_runtime
from zoo.runs.scratch import SHARED_MEMORY, ScratchFolder

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

WORKER = Path(__file__).with_name("worker.py")
Engine = str | InstalledRuntime
"""A runtime, or its name in the catalogue of the installed plugins."""
OPT_OUT = {"ORT_DISABLE_TELEMETRY": "1"}
"""Read by ONNX Runtime when it is loaded: since 1.29 its builds for Linux send telemetry and leave an identifier in
TMPDIR, which `disable_telemetry_events()` does not stop."""
ROOMY = 2 << 30
"""Bytes of free shared memory from which models and tensors are exchanged there: containers often have 64 MB."""
WORKING: Final = 0.05
"""The share of the time on the clock that a call must have worked, so that it is waited for."""
READY = getattr(selectors, "PollSelector", selectors.DefaultSelector)
"""What waits for an answer: unlike epoll, poll wakes up where another thread closes the pipe."""
MAX_PREPACKED = 256 << 20
"""Bytes of weights beside a graph that a runtime may arrange anew for speed: each graph then holds them in memory."""
_NODE = re.compile(r"running (\w+) node\. Name:\s*'([^']*)'")


class RuntimeRefused(BadFile):
    """A runtime's own refusal (an invalid graph, a wrong shape); the process is still alive."""

    kind = "runtime-refused"


class OperatorRefused(RuntimeRefused):
    """A runtime that does not know an operator of the graph."""

    kind = "operator-refused"

    def __init__(self, message: str, *, operator: str, node: str = "") -> None:
        super().__init__(message)
        self.operator = operator
        self.node = node


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one sandboxed process may use."""

    memory_mb: int = MAX_MEMORY_MB
    """Address space."""
    cpu_seconds: float = 120.0
    """Processor time for one call."""
    wall_seconds: float = 120.0
    """Time on the clock for one call.  Where the system limits processor time, a call that works through most of it on
    a busy machine is waited for, until its processor time ends it."""

    @classmethod
    def beside(cls, weights: int) -> Self:
        """The usual limits, and room for so many bytes of weights: as they are, and as a runtime arranges them."""
        usual = cls()
        large = weights > MAX_ONNX_BYTES
        return replace(usual, memory_mb=usual.memory_mb + 3 * (weights >> 20)) if large else usual

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Single runs of some sessions, in blocks that take turns."""

    runs: tuple[tuple[tuple[float, ...], ...], ...]
    """Seconds, on the clock or of the processor: per session, per block of runs, per run."""
    peak_bytes: int | None
    """The most memory that the process has held until then; None where the system does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTimes:
    """One node as the runtime executes it."""

    name: str
    """As in the file, or with what the runtime adds where it merged or inserted nodes."""
    op: str
    seconds: tuple[float, ...]
    """Of every run, the first among them, which is warm-up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Some runs of one graph, node by node."""

    runs: tuple[float, ...]
    """Seconds on the clock of every run but the first."""
    nodes: tuple[NodeTimes, ...]
    """In the order in which they are executed."""


class Runtime:
    """One sandboxed process.  After a SandboxError the next call starts a new one; its sessions must be opened anew."""

    def __init__(self, *, limits: Limits | None = None, threads: int = 1, engine: Engine = REFERENCE) -> None:
        self.installed = find_runtime(engine) if isinstance(engine, str) else engine
        self.engine = self.installed.name
        self.title = self.installed.title
        limits, needed = limits or Limits(), self.installed.memory_mb
        self.limits = replace(limits, memory_mb=max(limits.memory_mb, needed)) if needed > MAX_MEMORY_MB else limits
        self.threads = threads
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: ScratchFolder | None = None
        self._starting = threading.Lock()
        self._closed = False
        self._pending = b""
        self._models = 0
        self._copies: dict[str, ScratchFolder] = {}
        """Of weights beside graphs, by their hash."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.interrupt()
        self.stop()

    def start(self) -> None:
        """Start the process and return at once; SandboxError after `interrupt`."""
        with self._starting:
            if self._closed:
                raise SandboxError(f"{self.title}'s process was stopped, because zoo is ending")
            self._scratch = ScratchFolder.make(in_memory=_has_room(SHARED_MEMORY))
            self._process = self._launch(self._scratch.path)
            self._pending = b""

    def _launch(self, folder: Path) -> subprocess.Popen[bytes]:
        settings = {
            "engine": self.installed.engine,
            "setup": self.installed.setup,
            "suffix": self.installed.suffix,
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
        copies, self._copies = self._copies, {}
        for folder in (scratch, *copies.values()):
            if folder is not None:
                folder.remove()

    def versions(self) -> dict[str, str]:
        """The versions inside the sandbox, by package: the runtime's, numpy."""
        reply = self._ask({"do": "hello"}, "starting")
        return {self.engine: str(reply["version"]), "numpy": str(reply["numpy"])}

    def provider(self) -> str:
        """What executes a graph, with the precision where the runtime could choose another."""
        return str(self._ask({"do": "hello"}, "starting")["provider"])

    def in_words(self) -> str:
        """What the process may use and reach, for the environment of a report."""
        open_because = self._ask({"do": "hello"}, "starting")["network"]
        network = f"the network is not cut off ({open_because})" if open_because else "no network"
        return f"{self.limits.in_words()}; {network}"

    def session(
        self,
        model: bytes | Path,
        *,
        title: str = "",
        optimize: bool = True,
        timed: bool = False,
        profiled: bool = False,
        sha256: str | None = None,
        weights: Weights | None = None,
    ) -> Session:
        """Load a graph.  RuntimeRefused when it is invalid; SandboxError when loading it kills the process.

        `timed` leaves the runtime its own settings of memory and waiting, as whoever uses it has them; `profiled` has
        it note how long every node takes, for `profile`.

        With `sha256` HashMismatch where the very bytes that are loaded have another one; `weights` are those that lie
        beside the graph, and the same is true of them.
        """
        title = title or (model.name if isinstance(model, Path) else "the model")
        path = self._place(model, title) if weights is None else self._place_beside(model, weights, title, sha256)
        beside = weights is not None
        try:
            request = {"do": "open", "model": str(path), "optimize": optimize, "timed": timed, "sha256": sha256}
            request |= {"beside": beside, "stem": _stem(title), "profiled": profiled}
            request["prepack"] = weights is None or weights.bytes <= MAX_PREPACKED
            reply = self._ask(request, f"loading {title}")
        except OperatorRefused as error:
            raise _with_site(error, model if isinstance(model, bytes) else model.read_bytes()) from error
        finally:
            if isinstance(model, bytes) or beside:
                path.unlink(missing_ok=True)
        return _session(reply, title)

    def convert(self, model: bytes | Path, *, title: str = "") -> dict[str, bytes]:
        """The runtime's own files for an ONNX file, the main one first; errors as in `session`."""
        title = title or (model.name if isinstance(model, Path) else "the model")
        request = {"do": "convert", "model": str(self._place(model, title)), "stem": _stem(title)}
        try:
            reply = self._ask({**request, "beside": False, "sha256": None}, f"converting {title}")
        except OperatorRefused as error:
            raise _with_site(error, model if isinstance(model, bytes) else model.read_bytes()) from error
        folder = Path(reply["folder"])
        try:
            return {name: (folder / name).read_bytes() for name in reply["files"]}
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def own_session(self, files: Mapping[str, bytes]) -> Session:
        """Load what `convert` gave, the main file first; errors as in `session`."""
        main = next(iter(files))
        folder = self._folder() / f"own-{self._models}"
        self._models += 1
        folder.mkdir()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        return _session(self._ask({"do": "open", "model": str(folder / main), "own": True}, f"loading {main}"), main)

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

        folder = self._folder()
        request = {"do": "run", "session": session.id, **self._feeds(feeds), "outputs": list(outputs or ())}
        reply = self._ask(request, f"running {session.title}")
        with (folder / "answers").open("rb") as file:
            answers = {}
            for name, dtype, shape, start, nbytes in reply["answers"]:
                file.seek(start)
                answers[name] = np.frombuffer(bytearray(file.read(nbytes)), dtype=dtype).reshape(shape)
        return answers

    def time(
        self,
        sessions: Sequence[Session],
        feeds: Mapping[str, Array],
        *,
        blocks: int,
        least: int,
        size: int,
        seconds: float,
        processor: bool = False,
    ) -> Timing:
        """Up to so many blocks of `size` runs of each session, for so long but at least `least` blocks.

        With `processor` the runs are measured in processor time, where the runtime has one thread and the system tells.
        Errors as in `session`.
        """
        request = {"do": "time", "sessions": [session.id for session in sessions], **self._feeds(feeds)}
        limits = {"blocks": blocks, "least": least, "size": size, "seconds": seconds, "processor": processor}
        reply = self._ask({**request, **limits}, f"timing {' and '.join(session.title for session in sessions)}")
        runs = tuple(tuple(map(tuple, blocks)) for blocks in reply["runs"])
        return Timing(runs=runs, peak_bytes=reply["peak"])

    def profile(self, session: Session, feeds: Mapping[str, Array], *, runs: int) -> Profile:
        """How long the nodes of a session take that was opened as `profiled`; it is closed afterwards."""
        request = {"do": "profile", "session": session.id, "size": runs, **self._feeds(feeds)}
        reply = self._ask(request, f"profiling {session.title}")
        nodes = tuple(
            NodeTimes(name=name, op=op, seconds=tuple(1e-6 * time for time in times))
            for name, op, times in reply["nodes"]
        )
        return Profile(runs=tuple(reply["runs"]), nodes=nodes)

    def _feeds(self, feeds: Mapping[str, Array]) -> dict[str, Any]:
        """The arrays in the folder of the process, and where each lies."""
        import numpy as np  # noqa: PLC0415  this file is imported where only listing is wanted

        table: list[list[Any]] = []
        with (self._folder() / "feeds").open("wb") as file:
            for name, value in feeds.items():
                array = np.ascontiguousarray(value)
                table.append([name, array.dtype.str, list(array.shape), file.tell(), array.nbytes])
                file.write(array.data)
                file.write(bytes(-array.nbytes % 64))
            return {"feeds": table, "bytes": file.tell()}

    # --- the pipe ---

    def _alive(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self.start()
        assert self._process is not None
        return self._process

    def _folder(self) -> Path:
        self._alive()
        assert self._scratch is not None
        return self._scratch.path

    def _place(self, model: bytes | Path, title: str) -> Path:
        folder = self._folder()
        size = model.stat().st_size if isinstance(model, Path) else len(model)
        if size > MAX_ONNX_BYTES:
            raise BadFile(f"{title} has {size:,} bytes; an ONNX file holds {MAX_ONNX_BYTES:,} without its weights")
        if isinstance(model, Path):
            return model.resolve()
        self._models += 1
        path = folder / f"model-{self._models}"
        path.write_bytes(model)
        return path

    def _place_beside(self, model: bytes | Path, weights: Weights, title: str, sha256: str | None) -> Path:
        """A graph in a folder of our own with its weights: nobody exchanges there what was compared."""
        self._alive()
        data = model if isinstance(model, bytes) else model.read_bytes()
        if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
            raise _changed(title)
        _check_beside(data, weights, title)
        if weights.sha256 not in self._copies:
            folder = ScratchFolder.make()
            if copied(weights.path, folder.path / weights.path.name) != weights.sha256:
                folder.remove()
                raise _changed(weights.path.name)
            self._copies[weights.sha256] = folder
        self._models += 1
        path = self._copies[weights.sha256].path / f"graph-{self._models}.onnx"
        path.write_bytes(data)
        return path

    def _ask(self, request: dict[str, Any], doing: str) -> dict[str, Any]:
        process, folder = self._alive(), self._folder()
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
            raise _changed(doing.removeprefix("loading "))
        if reply["memory"]:
            self.stop()
            raise SandboxError(
                f"{doing} failed: {self.title} wanted more than the {self.limits.memory_mb} MB it may have"
                f"{_node(reply['error'])}"
            )
        message = f"{doing} failed: {self.title} says {_shorten(reply['error'])}"
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
        return SandboxError(f"{doing} crashed {self.title}: its process {how}{''.join(f' ({line})' for line in last)}")


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


def _check_beside(data: bytes, weights: Weights, title: str) -> None:
    """BadFile where a graph reads anything but its file of weights, or beyond its end."""
    import onnx  # noqa: PLC0415  other graphs are read by the worker alone
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        parsed = onnx.ModelProto.FromString(data)
    except DecodeError as error:
        raise BadFile(f"{title} is not an ONNX file") from error
    external_tensors(parsed, weights, title=title)


def _changed(title: str) -> HashMismatch:
    return HashMismatch(f"loading {title} failed: its sha256 is not the one in the manifest")


def _ports(rows: Sequence[Sequence[Any]]) -> tuple[TensorPort, ...]:
    return tuple(TensorPort(name=name, type=type, shape=tuple(shape)) for name, type, shape in rows)


def _session(reply: Mapping[str, Any], title: str) -> Session:
    return Session(
        id=reply["session"],
        title=title,
        inputs=_ports(reply["inputs"]),
        outputs=_ports(reply["outputs"]),
        metadata=reply["metadata"],
    )


def _with_site(error: OperatorRefused, data: bytes) -> OperatorRefused:
    """The refusal with the nodes of the operator, and the module of the model that they belong to."""
    from zoo.bundle.sandbox.operator_sites import operator_sites  # noqa: PLC0415  rarely needed

    beginning = error.message.partition(" says ")[0]
    sites = operator_sites(data, error.operator, error.node)
    return OperatorRefused(f"{beginning} does not take the operator {sites}", operator=error.operator, node=error.node)


def _stem(title: str) -> str:
    """The name of the file that an engine is given."""
    return Path(title).stem if title.endswith(".onnx") else "graph"


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
