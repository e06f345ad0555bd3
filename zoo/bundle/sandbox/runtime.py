"""A runtime in a process of its own, with limits: a crash, a hang or an allocation bomb becomes a sentence.

with Runtime() as runtime:                      # the process starts at once and imports in the background
    session = runtime.session(Path("model.onnx"))
    answers = runtime.run(session, {"image": image})
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from zoo.api.errors import BadFile, SandboxError
from zoo.api.runtime import MAX_MEMORY_MB
from zoo.bundle.onnx_file.external_data import MAX_ONNX_BYTES, Weights, copied, external_tensors
from zoo.bundle.sandbox.installed_runtime import REFERENCE, InstalledRuntime, find_runtime
from zoo.bundle.sandbox.limits import Limits
from zoo.bundle.sandbox.process import WorkerProcess
from zoo.bundle.sandbox.refusals import OperatorRefused, changed
from zoo.bundle.sandbox.session import NodeTimes, Profile, Session, Timing, session_of
from zoo.runs.scratch import ScratchFolder

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Engine = str | InstalledRuntime
"""A runtime, or its name in the catalogue of the installed plugins."""
MAX_PREPACKED = 256 << 20
"""Bytes of weights beside a graph that a runtime may arrange anew for speed: each graph then holds them in memory."""


class Runtime:
    """One sandboxed process.  After a SandboxError the next call starts a new one; its sessions must be opened anew."""

    def __init__(self, *, limits: Limits | None = None, threads: int = 1, engine: Engine = REFERENCE) -> None:
        self.installed = find_runtime(engine) if isinstance(engine, str) else engine
        self.engine = self.installed.name
        self.title = self.installed.title
        limits, needed = limits or Limits(), self.installed.memory_mb
        limits = replace(limits, memory_mb=max(limits.memory_mb, needed)) if needed > MAX_MEMORY_MB else limits
        self.threads = threads
        self.process = WorkerProcess(self.installed, limits=limits, threads=threads)
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
        self.process.start()

    def interrupt(self) -> None:
        """From any thread: end the process for good, so that a thread that waits for its answer gets a SandboxError."""
        self.process.interrupt()

    def stop(self) -> None:
        """End the process and remove its folder."""
        self.process.stop()
        copies, self._copies = self._copies, {}
        for folder in copies.values():
            folder.remove()

    def versions(self) -> dict[str, str]:
        """The versions inside the sandbox, by package: the runtime's, numpy."""
        reply = self.process.ask({"do": "hello"}, "starting")
        return {self.engine: str(reply["version"]), "numpy": str(reply["numpy"])}

    def provider(self) -> str:
        """What executes a graph, with the precision where the runtime could choose another."""
        return str(self.process.ask({"do": "hello"}, "starting")["provider"])

    def in_words(self) -> str:
        """What the process may use and reach, for the environment of a report."""
        open_because = self.process.ask({"do": "hello"}, "starting")["network"]
        local = ", but sockets of this machine" if self.installed.local_sockets else ""
        network = f"the network is not cut off ({open_because})" if open_because else f"no network{local}"
        return f"{self.process.limits.in_words()}; {network}"

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
            reply = self.process.ask(request, f"loading {title}")
        except OperatorRefused as error:
            raise _with_site(error, model if isinstance(model, bytes) else model.read_bytes()) from error
        finally:
            if isinstance(model, bytes) or beside:
                path.unlink(missing_ok=True)
        return session_of(reply, title)

    def convert(self, model: bytes | Path, *, title: str = "") -> dict[str, bytes]:
        """The runtime's own files for an ONNX file, the main one first; errors as in `session`."""
        title = title or (model.name if isinstance(model, Path) else "the model")
        request = {"do": "convert", "model": str(self._place(model, title)), "stem": _stem(title)}
        try:
            reply = self.process.ask({**request, "beside": False, "sha256": None}, f"converting {title}")
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
        folder = self.process.folder() / f"own-{self._models}"
        self._models += 1
        folder.mkdir()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        return session_of(
            self.process.ask({"do": "open", "model": str(folder / main), "own": True}, f"loading {main}"), main
        )

    def close(self, session: Session) -> None:
        """Forget a session and free its memory."""
        self.process.ask({"do": "close", "session": session.id}, f"closing {session.title}")

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

        folder = self.process.folder()
        request = {"do": "run", "session": session.id, **self._feeds(feeds), "outputs": list(outputs or ())}
        reply = self.process.ask(request, f"running {session.title}")
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
        reply = self.process.ask({**request, **limits}, f"timing {' and '.join(session.title for session in sessions)}")
        runs = tuple(tuple(map(tuple, blocks)) for blocks in reply["runs"])
        return Timing(runs=runs, peak_bytes=reply["peak"])

    def profile(self, session: Session, feeds: Mapping[str, Array], *, runs: int) -> Profile:
        """How long the nodes of a session take that was opened as `profiled`; it is closed afterwards."""
        request = {"do": "profile", "session": session.id, "size": runs, **self._feeds(feeds)}
        reply = self.process.ask(request, f"profiling {session.title}")
        nodes = tuple(
            NodeTimes(name=name, op=op, seconds=tuple(1e-6 * time for time in times))
            for name, op, times in reply["nodes"]
        )
        return Profile(runs=tuple(reply["runs"]), nodes=nodes)

    def _feeds(self, feeds: Mapping[str, Array]) -> dict[str, Any]:
        """The arrays in the folder of the process, and where each lies."""
        import numpy as np  # noqa: PLC0415  this file is imported where only listing is wanted

        table: list[list[Any]] = []
        with (self.process.folder() / "feeds").open("wb") as file:
            for name, value in feeds.items():
                array = np.ascontiguousarray(value)
                table.append([name, array.dtype.str, list(array.shape), file.tell(), array.nbytes])
                file.write(array.data)
                file.write(bytes(-array.nbytes % 64))
            return {"feeds": table, "bytes": file.tell()}

    def _place(self, model: bytes | Path, title: str) -> Path:
        folder = self.process.folder()
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
        self.process.folder()
        data = model if isinstance(model, bytes) else model.read_bytes()
        if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
            raise changed(title)
        _check_beside(data, weights, title)
        if weights.sha256 not in self._copies:
            folder = ScratchFolder.make()
            if copied(weights.path, folder.path / weights.path.name) != weights.sha256:
                folder.remove()
                raise changed(weights.path.name)
            self._copies[weights.sha256] = folder
        self._models += 1
        path = self._copies[weights.sha256].path / f"graph-{self._models}.onnx"
        path.write_bytes(data)
        return path


def _check_beside(data: bytes, weights: Weights, title: str) -> None:
    """BadFile where a graph reads anything but its file of weights, or beyond its end."""
    import onnx  # noqa: PLC0415  other graphs are read by the worker alone
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        parsed = onnx.ModelProto.FromString(data)
    except DecodeError as error:
        raise BadFile(f"{title} is not an ONNX file") from error
    external_tensors(parsed, weights, title=title)


def _with_site(error: OperatorRefused, data: bytes) -> OperatorRefused:
    """The refusal with the nodes of the operator, and the module of the model that they belong to."""
    from zoo.bundle.sandbox.operator_sites import operator_sites  # noqa: PLC0415  rarely needed

    beginning = error.message.partition(" says ")[0]
    sites = operator_sites(data, error.operator, error.node)
    return OperatorRefused(f"{beginning} does not take the operator {sites}", operator=error.operator, node=error.node)


def _stem(title: str) -> str:
    """The name of the file that an engine is given."""
    return Path(title).stem if title.endswith(".onnx") else "graph"
