"""The sandboxed process: a runtime behind a pipe.  Run as a script by `zoo.bundle.sandbox.process`, never imported.

It imports nothing but numpy and ONNX Runtime, or the engine of another runtime.  It registers no custom ops, and gives
ONNX Runtime models as bytes, so that no external data resolve, but for graphs that lie with their weights in a folder
of zoo's own.  The system refuses it every socket before the runtime is loaded.
Requests and replies are JSON lines; arrays lie in files beside.
"""

from __future__ import annotations

import ctypes
import errno
import faulthandler
import hashlib
import importlib
import json
import os
import platform
import signal
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MAX_ANSWERS = 1 << 30
"""Bytes of all answers to one input."""
KERNEL_TIME = "_kernel_time"
"""The end of the names of ONNX Runtime's events that tell how long a node took."""
MACHINES = {"x86_64": (0xC000_003E, 41, 425), "aarch64": (0xC000_00B7, 198, 425)}
"""AUDIT_ARCH and the numbers of the system calls socket() and io_uring_setup(), which can make sockets as well."""
X32 = 0x4000_0000
"""The bit that marks x86_64's second set of numbers for the same system calls."""
DOMAIN = 16
"""Where a socket's domain lies in seccomp_data: the first argument."""
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, REFUSE = 0x7FFF_0000, 0x0005_0000 | errno.EPERM
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, MODE_FILTER = 22, 38, 2


class FilterProgram(ctypes.Structure):
    """The system's struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def cut_off_network(*, local_sockets: bool = False) -> str:
    """Have the system refuse sockets of every kind to this process; why that cannot be had, empty where it holds.

    Local sockets are refused as well, because a local service (systemd-resolved) would ask the network on request,
    unless an engine says that it needs them.
    """
    if sys.platform != "linux" or platform.machine() not in MACHINES or sys.maxsize < 2**32:
        return f"zoo has no filter for {sys.platform} on {platform.machine()}"
    program = _filter(*MACHINES[platform.machine()], local_sockets=local_sockets)
    steps = ctypes.create_string_buffer(program, len(program))
    header = FilterProgram(len(program) // 8, ctypes.cast(steps, ctypes.c_void_p))
    system = ctypes.CDLL(None, use_errno=True)
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(header))):
        if system.prctl(*arguments):
            return f"the system refused the filter: {os.strerror(ctypes.get_errno())}"
    return ""


def _filter(architecture: int, *refused: int, local_sockets: bool) -> bytes:
    """A program of seccomp: another architecture's calls, x32's and the `refused` ones fail with EPERM.

    With `local_sockets` the first of them, socket(), is let through where its domain is AF_UNIX.
    """
    tests = [(EQUAL, number) for number in refused]
    if architecture == MACHINES["x86_64"][0]:
        tests.insert(0, (AT_LEAST, X32))
    # each step is a code, how many steps to skip if it holds and if not, and a number
    local = [(EQUAL, 0, 3, refused[0]), (LOAD, 0, 0, DOMAIN), (EQUAL, 0, 1, socket.AF_UNIX), (RETURN, 0, 0, ALLOW)]
    tail = [(RETURN, 0, 0, ALLOW), *(local if local_sockets else ()), (RETURN, 0, 0, REFUSE)]
    last = len(tests) + len(tail) - 1  # as seen from the number's load
    steps = [(LOAD, 0, 0, 4), (EQUAL, 0, last + 1, architecture), (LOAD, 0, 0, 0)]  # offsets in seccomp_data
    steps += [(code, len(tests) - index, 0, number) for index, (code, number) in enumerate(tests)]
    steps += tail
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def limit_memory(megabytes: int) -> None:
    """Cap the address space and the size of a file written; nothing where the system has no such limits.

    Where the account itself may use less, that stays: nobody can raise it.
    """
    if sys.platform == "linux":
        import resource  # noqa: PLC0415  absent on Windows

        for limit in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE):
            _, most = resource.getrlimit(limit)
            allowed = megabytes << 20 if most == resource.RLIM_INFINITY else min(megabytes << 20, most)
            resource.setrlimit(limit, (allowed, allowed))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_cpu(seconds: float) -> None:
    """Allow this many more seconds of processor time; then the system ends the process (SIGXCPU)."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415

        usage = resource.getrusage(resource.RUSAGE_SELF)
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        allowed = int(usage.ru_utime + usage.ru_stime + seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (allowed if most == -1 else min(allowed, most), most))


def limit_children_cpu(seconds: float) -> None:
    """Allow the processes that an engine started so many more seconds each, as `limit_cpu` allows them to this one."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415

        for children in Path("/proc/self/task").glob("*/children"):
            for child in children.read_text().split():
                try:
                    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
                    used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime
                    _, most = resource.prlimit(int(child), resource.RLIMIT_CPU)
                    allowed = int(used + seconds) + 1
                    limit = allowed if most == -1 else min(allowed, most)
                    resource.prlimit(int(child), resource.RLIMIT_CPU, (limit, most))
                except (OSError, ValueError):  # it has ended meanwhile
                    continue


def peak_bytes() -> int | None:
    """The most memory that this process has held at once; None where the system does not say.

    Not `ru_maxrss`, which a process starts with at what its parent had held.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeError):
        return None
    held = next((line.split()[1] for line in lines if line.startswith("VmHWM:")), None)
    return None if held is None else int(held) << 10


def thread_clock() -> Callable[[], float]:
    """Processor time of this thread, which does all work of a runtime with one thread; else the time on the clock.

    What else a busy machine does then counts for nobody. On many systems processor time is too coarse.
    """
    fine = sys.platform == "linux" and time.get_clock_info("thread_time").resolution <= 1e-6
    return time.thread_time if fine else time.perf_counter


class Changed(Exception):
    """A file is not the one that was to be loaded."""


def read_model(request: dict[str, Any]) -> bytes | str:
    """The bytes of a graph; Changed where they are not those that the request names, if it does.

    The path of one with weights beside it: both lie in a folder of zoo's own, and were compared there.
    """
    if request["beside"]:
        return str(request["model"])
    data = Path(request["model"]).read_bytes()
    if request["sha256"] and hashlib.sha256(data).hexdigest() != request["sha256"]:
        raise Changed
    return data


class Worker:
    """Open sessions by number, and the folder where arrays are exchanged."""

    def __init__(self, folder: Path, *, threads: int, network: str) -> None:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # whoever started this; it is read when the library is loaded
        import onnxruntime  # noqa: PLC0415  after the limits are set

        onnxruntime.set_default_logger_severity(4)
        self.runtime = onnxruntime
        self.folder = folder
        self.threads = threads
        self.network = network
        """Why the system does not cut it off; empty where it does."""
        self.sessions: dict[int, Any] = {}
        self.opened = 0

    def hello(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        import numpy  # noqa: PLC0415

        return {
            "version": self.runtime.__version__,
            "provider": "CPUExecutionProvider",
            "numpy": numpy.__version__,
            "network": self.network,
        }

    def open(self, request: dict[str, Any]) -> dict[str, Any]:
        options = self.runtime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        if not request["timed"]:
            options.enable_cpu_mem_arena = False  # it would keep what the largest batch took, once for each session
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if request.get("profiled"):
            options.enable_profiling = True
            options.profile_file_prefix = str(self.folder / "profile")
        if not request["optimize"]:
            options.graph_optimization_level = self.runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
        data = read_model(request)
        if not request["prepack"]:
            # what the runtime would arrange anew for speed is as large again, for each graph
            options.add_session_config_entry("session.disable_prepacking", "1")
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

        session, feeds = self.sessions[request["session"]], self.feeds(request)
        names = request["outputs"] or self.output_names(session)
        values = self.compute(session, names, feeds)
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

    def feeds(self, request: dict[str, Any]) -> dict[str, Any]:
        import numpy  # noqa: PLC0415

        buffer = numpy.memmap(self.folder / "feeds", mode="r") if request["bytes"] else numpy.empty(0, "uint8")
        return {
            name: buffer[start : start + size].view(dtype).reshape(shape)
            for name, dtype, shape, start, size in request["feeds"]
        }

    def time(self, request: dict[str, Any]) -> dict[str, Any]:
        """Seconds of single runs, blocks of the sessions in turns."""
        feeds = self.feeds(request)
        clock = thread_clock() if request["processor"] and self.threads == 1 else time.perf_counter
        sessions = [self.sessions[number] for number in request["sessions"]]
        calls = [(session, self.output_names(session)) for session in sessions]
        seconds: list[list[list[float]]] = [[] for _ in calls]
        for session, names in calls * 2:
            self.compute(session, names, feeds)
        start = time.perf_counter()
        while len(seconds[-1]) < request["blocks"] and (
            len(seconds[-1]) < request["least"] or time.perf_counter() - start < request["seconds"]
        ):
            for index, (session, names) in enumerate(calls):
                seconds[index].append([self.seconds(session, names, feeds, clock) for _ in range(request["size"])])
        return {"runs": seconds, "peak": peak_bytes()}

    def profile(self, request: dict[str, Any]) -> dict[str, Any]:
        """The events of every node over some runs, after one that is not counted: name, operator, microseconds."""
        session, feeds = self.sessions.pop(request["session"]), self.feeds(request)
        names = self.output_names(session)
        self.compute(session, names, feeds)
        runs = [self.seconds(session, names, feeds, time.perf_counter) for _ in range(request["size"])]
        path = Path(session.end_profiling())
        events = json.loads(path.read_text(encoding="utf-8"))
        path.unlink()
        spent: dict[tuple[str, str], list[int]] = {}
        for event in events:
            if event.get("cat") == "Node" and event["name"].endswith(KERNEL_TIME):
                key = (event["name"].removesuffix(KERNEL_TIME), event["args"]["op_name"])
                spent.setdefault(key, []).append(event["dur"])
        return {"runs": runs, "nodes": [[name, op, times] for (name, op), times in spent.items()]}

    def seconds(self, session: Any, names: list[str], feeds: dict[str, Any], clock: Callable[[], float]) -> float:
        start = clock()
        self.compute(session, names, feeds)
        return clock() - start

    def output_names(self, session: Any) -> list[str]:
        return [port.name for port in session.get_outputs()]

    def compute(self, session: Any, names: list[str], feeds: dict[str, Any]) -> list[Any]:
        return list(session.run(names, feeds))


class EngineWorker(Worker):
    """The same with the engine of a plugin: `zoo.RuntimeEngine` is what it must be."""

    def __init__(self, settings: dict[str, Any], *, network: str) -> None:
        self.folder, self.threads, self.network = Path(settings["folder"]), settings["threads"], network
        os.environ["HOME"] = os.environ["TMPDIR"] = str(self.folder)  # libraries leave folders of their own there
        sys.path += [entry for entry in settings["path"] if entry not in sys.path]
        from zoo.api.runtime import EngineSettings  # noqa: PLC0415  where zoo lies is known now

        module, _, name = settings["engine"].partition(":")
        make = getattr(importlib.import_module(module), name)
        folder = self.new_folder("engine")
        os.chdir(folder)
        self.engine = make(EngineSettings(threads=self.threads, folder=folder, setup=settings["setup"]))
        self.converts = bool(settings["suffix"])
        self.sessions, self.opened = {}, 0

    def new_folder(self, name: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def hello(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        import numpy  # noqa: PLC0415

        about = {"version": str(self.engine.version), "provider": str(self.engine.provider)}
        return {**about, "numpy": numpy.__version__, "network": self.network}

    def open(self, request: dict[str, Any]) -> dict[str, Any]:
        """Load an ONNX file, converted where the engine has files of its own, or such a file with what is beside it."""
        folder = self.new_folder("graph")
        path = Path(request["model"])
        if not request.get("own"):
            path = self.placed(request, folder)
            path = self.engine.convert(path, folder) if self.converts else path
        graph = self.engine.load(path)
        self.opened += 1
        self.sessions[self.opened] = graph
        ports = [[[name, "", []] for name in names] for names in (graph.inputs, graph.outputs)]
        return {"session": self.opened, "inputs": ports[0], "outputs": ports[1], "metadata": {}}

    def convert(self, request: dict[str, Any]) -> dict[str, Any]:
        """The engine's own file for an ONNX file, in a folder that holds nothing else; the main file comes first."""
        folder = self.new_folder("converted")
        path = Path(self.engine.convert(self.placed(request, self.new_folder("graph")), folder))
        others = sorted(file.name for file in folder.iterdir() if file != path)
        return {"folder": str(folder), "files": [path.name, *others]}

    def placed(self, request: dict[str, Any], folder: Path) -> Path:
        """The ONNX file under its own name; one with weights beside it stays where it is."""
        data = read_model(request)
        if isinstance(data, str):
            return Path(data)
        path = folder / f"{request['stem']}.onnx"
        path.write_bytes(data)
        return path

    def output_names(self, session: Any) -> list[str]:
        return list(session.outputs)

    def compute(self, session: Any, names: list[str], feeds: dict[str, Any]) -> list[Any]:
        import numpy  # noqa: PLC0415

        values = session.run({name: numpy.array(value) for name, value in feeds.items()})
        return [numpy.asarray(values[name]) for name in names]


def serve(worker: Worker, replies: Any) -> None:
    """Answer requests until the pipe closes."""
    for line in sys.stdin:
        request = json.loads(line)
        limit_cpu(request["cpu_seconds"])
        limit_children_cpu(request["cpu_seconds"])
        try:
            reply = getattr(worker, request["do"])(request)
        except Changed:
            reply = {"error": "changed", "memory": False, "changed": True}
        except MemoryError:
            reply = {"error": "out of memory", "memory": True}
        except Exception as error:
            text = str(error)
            reply = {"error": text or type(error).__name__, "memory": "bad_alloc" in text or "allocate memory" in text}
            reply |= {"operator": getattr(error, "operator", ""), "node": getattr(error, "node", "")}
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
    network = cut_off_network(local_sockets=settings["local_sockets"])
    if settings["engine"]:
        serve(EngineWorker(settings, network=network), replies)
    else:
        serve(Worker(Path(settings["folder"]), threads=settings["threads"], network=network), replies)


if __name__ == "__main__":
    main()
