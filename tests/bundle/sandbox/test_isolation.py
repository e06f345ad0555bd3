"""The system refuses the worker every socket before ONNX Runtime is loaded, and inference works all the same."""

from __future__ import annotations

import json
import platform
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bundle.runtime import graphs
from zoo.api.errors import SandboxError
from zoo.bundle.sandbox import process, worker
from zoo.bundle.sandbox.installed_runtime import ONNXRUNTIME, InstalledRuntime
from zoo.bundle.sandbox.limits import Limits
from zoo.bundle.sandbox.runtime import Runtime

WATCHED = """
import ctypes, json, os, runpy, socket, sys


def attempt(call):
    try:
        call()
    except OSError as error:
        return type(error).__name__
    return "done"


def raw(number, *arguments):
    system = ctypes.CDLL(None, use_errno=True)
    result = system.syscall(number, *arguments)
    return "done" if result >= 0 else os.strerror(ctypes.get_errno())


def connect():
    with socket.create_connection(("127.0.0.1", {port}), timeout=5):
        pass


class Watcher:
    # asked when the worker imports ONNX Runtime
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            sys.meta_path.remove(self)
            attempts = {{
                "connect": attempt(connect),
                "datagram": attempt(lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)),
                "local": attempt(lambda: socket.socket(socket.AF_UNIX)),
                "raw": raw({socket}, socket.AF_INET, socket.SOCK_STREAM, 0),
                "high bits": raw({socket}, (7 << 32) | socket.AF_INET, socket.SOCK_STREAM, 0),
                "x32": raw({x32} | {socket}, socket.AF_INET, socket.SOCK_STREAM, 0),
                "io_uring": raw({io_uring}, 1, ctypes.create_string_buffer(256)),
                "child": os.waitstatus_to_exitcode(os.system({child!r})),
            }}
            with open({report!r}, "w") as file:
                json.dump(attempts, file)


sys.meta_path.insert(0, Watcher())
runpy.run_path({worker!r}, run_name="__main__")
"""

needs_filter = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in worker.MACHINES, reason="zoo has no filter for this system"
)


@dataclass(frozen=True, slots=True)
class Listener:
    """A server on this machine that the worker is asked to reach."""

    server: socket.socket

    @property
    def port(self) -> int:
        return int(self.server.getsockname()[1])

    def was_reached(self) -> bool:
        self.server.settimeout(0.1)
        try:
            self.server.accept()[0].close()
        except TimeoutError:
            return False
        return True


@pytest.fixture
def listener() -> Iterator[Listener]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Listener(server)


def attempts(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: InstalledRuntime = ONNXRUNTIME
) -> dict[str, Any]:
    """What the worker's attempts come to; it has to answer afterwards."""
    _, number, io_uring = worker.MACHINES[platform.machine()]
    script, report = tmp_path / "watched.py", tmp_path / "report.json"
    connect = f"import socket; socket.create_connection(('127.0.0.1', {listener.port}), timeout=5)"
    child = f'{sys.executable} -c "{connect}" 2>/dev/null'
    values = {"port": listener.port, "socket": number, "io_uring": io_uring, "x32": worker.X32, "child": child}
    script.write_text(WATCHED.format(report=str(report), worker=str(process.WORKER), **values))
    monkeypatch.setattr(process, "WORKER", script)
    with Runtime(engine=engine) as runtime:
        session = runtime.session(graphs.linear().SerializeToString())
        answer = runtime.run(session, {"x": np.ones((2, 4), np.float32)})["y"]
    np.testing.assert_array_equal(answer, [[13, 15], [13, 15]])
    found: dict[str, Any] = json.loads(report.read_text())
    return found


@needs_filter
def test_the_worker_tries_to_connect_and_cannot(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = attempts(listener, tmp_path, monkeypatch)
    assert found == {
        "connect": "PermissionError",
        "datagram": "PermissionError",
        "local": "PermissionError",
        "raw": "Operation not permitted",
        "high bits": "Operation not permitted",
        "x32": "Operation not permitted",
        "io_uring": "Operation not permitted",
        "child": 1,
    }
    assert not listener.was_reached()


@needs_filter
def test_an_engine_that_needs_local_sockets_gets_no_others(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = replace(ONNXRUNTIME, local_sockets=True)
    found = attempts(listener, tmp_path, monkeypatch, local)
    refused = "Operation not permitted"
    assert found == {
        **{"connect": "PermissionError", "datagram": "PermissionError", "local": "done", "raw": refused},
        **{"high bits": refused, "x32": refused, "io_uring": refused, "child": 1},
    }
    assert not listener.was_reached()
    with Runtime(engine=local) as runtime:
        assert runtime.in_words().endswith("; no network, but sockets of this machine")


@needs_filter
def test_without_the_filter_the_same_attempts_succeed(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the test above can fail."""
    unfiltered = tmp_path / "unfiltered.py"
    source = Path(worker.__file__).read_text()
    call = 'network = cut_off_network(local_sockets=settings["local_sockets"])'
    assert call in source
    unfiltered.write_text(source.replace(call, 'network = ""'))
    monkeypatch.setattr(process, "WORKER", unfiltered)
    found = attempts(listener, tmp_path, monkeypatch)
    assert (found["connect"], found["raw"], found["child"]) == ("done", "done", 0)
    assert listener.was_reached()


@needs_filter
def test_the_report_says_that_there_was_no_network() -> None:
    with Runtime(limits=Limits(memory_mb=2048, cpu_seconds=5, wall_seconds=20)) as runtime:
        assert runtime.in_words() == "2048 MB, 5 s of CPU and 20 s a call; no network"


def test_where_no_filter_can_be_had_the_report_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "elsewhere.py"
    script.write_text(
        "import platform, runpy\nplatform.machine = lambda: 'riscv64'\n"
        f"runpy.run_path({str(process.WORKER)!r}, run_name='__main__')\n"
    )
    monkeypatch.setattr(process, "WORKER", script)
    with Runtime() as runtime:
        assert runtime.in_words().endswith("; the network is not cut off (zoo has no filter for linux on riscv64)")


def test_an_interrupted_runtime_starts_no_other_process() -> None:
    with Runtime() as runtime:
        session = runtime.session(graphs.linear().SerializeToString())
        runtime.interrupt()
        with pytest.raises(SandboxError, match="zoo is ending"):
            runtime.run(session, {"x": np.ones((2, 4), np.float32)})
        runtime.stop()
        with pytest.raises(SandboxError, match="zoo is ending"):
            runtime.versions()
