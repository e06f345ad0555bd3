"""The sandboxed process: ONNX Runtime behind a pipe.  Run as a script by `zoo.bundle.runtime.sandbox`, never imported.

It imports nothing but numpy and onnxruntime, registers no custom ops, and sees models only as bytes in a private
folder, so that no external data resolve.  Requests and replies are JSON lines; arrays lie in files beside.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

MAX_ANSWERS = 1 << 30
"""Bytes of all answers to one input."""


def limit_memory(megabytes: int) -> None:
    """Cap the address space and the size of a file written; nothing where the system has no such limits."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415  absent on Windows

        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
        resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes << 20, megabytes << 20))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_cpu(seconds: float) -> None:
    """Allow this many more seconds of processor time; then the system ends the process (SIGXCPU)."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415

        usage = resource.getrusage(resource.RUSAGE_SELF)
        resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime + seconds) + 1, -1))


class Worker:
    """Open sessions by number, and the folder where arrays are exchanged."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # whoever started this; it is read when the library is loaded
        import onnxruntime  # noqa: PLC0415  after the limits are set

        onnxruntime.set_default_logger_severity(4)
        self.runtime = onnxruntime
        self.folder = folder
        self.threads = threads
        self.sessions: dict[int, Any] = {}
        self.opened = 0

    def hello(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        import numpy  # noqa: PLC0415

        return {"onnxruntime": self.runtime.__version__, "numpy": numpy.__version__}

    def open(self, request: dict[str, Any]) -> dict[str, Any]:
        options = self.runtime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if not request["optimize"]:
            options.graph_optimization_level = self.runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
        data = Path(request["model"]).read_bytes()
        session = self.runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self.opened += 1
        self.sessions[self.opened] = session
        return {
            "session": self.opened,
            "inputs": [[port.name, port.type, port.shape] for port in session.get_inputs()],
            "outputs": [[port.name, port.type, port.shape] for port in session.get_outputs()],
            "metadata": session.get_modelmeta().custom_metadata_map,
        }

    def close(self, request: dict[str, Any]) -> dict[str, Any]:
        self.sessions.pop(request["session"], None)
        return {}

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        import numpy  # noqa: PLC0415

        session = self.sessions[request["session"]]
        buffer = numpy.memmap(self.folder / "feeds", mode="r") if request["bytes"] else numpy.empty(0, "uint8")
        feeds = {
            name: buffer[start : start + size].view(dtype).reshape(shape)
            for name, dtype, shape, start, size in request["feeds"]
        }
        names = request["outputs"] or [port.name for port in session.get_outputs()]
        values = session.run(names, feeds)
        size = sum(getattr(value, "nbytes", 0) for value in values)
        if size > MAX_ANSWERS:  # whoever asked has to hold them as well
            raise ValueError(f"the answers take {size:,} bytes, {MAX_ANSWERS:,} are allowed")
        table = []
        with (self.folder / "answers").open("wb") as file:
            for name, value in zip(names, values, strict=True):
                if not isinstance(value, numpy.ndarray) or value.dtype.hasobject:
                    raise TypeError(f"output {name} is no tensor of numbers")
                start = file.tell()
                file.write(numpy.ascontiguousarray(value).data)
                file.write(bytes(-value.nbytes % 64))
                table.append([name, value.dtype.str, list(value.shape), start, value.nbytes])
        return {"answers": table}


def serve(worker: Worker, replies: Any) -> None:
    """Answer requests until the pipe closes."""
    for line in sys.stdin:
        request = json.loads(line)
        limit_cpu(request["cpu_seconds"])
        try:
            reply = getattr(worker, request["do"])(request)
        except MemoryError:
            reply = {"error": "out of memory", "memory": True}
        except Exception as error:
            text = str(error)
            reply = {"error": text or type(error).__name__, "memory": "bad_alloc" in text or "allocate memory" in text}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def main() -> None:
    settings = json.loads(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    # what the runtime prints must not end up between the replies
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    faulthandler.enable()
    limit_memory(settings["memory_mb"])
    limit_cpu(settings["cpu_seconds"])
    serve(Worker(Path(settings["folder"]), threads=settings["threads"]), replies)


if __name__ == "__main__":
    main()
