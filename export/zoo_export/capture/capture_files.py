"""Captured graphs on disk, for a second proof of the same target: what they are kept under, and their bytes.

A key says everything that a capture depends on: the module with its parameters, the source of its classes and of zoo,
the versions of torch and of the exporter.  A graph says nothing about what is right: the references come from the
module itself, so that a wrong graph is rejected as any other.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import sys
from collections.abc import Hashable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Final

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from zoo.api.task import Signature
from zoo.runs.kept_files import MAX_ENTRY_BYTES, is_keeping, read_entry, write_entry
from zoo_export.capture.stored_model import StoredModel
from zoo_export.capture.torch_export import Graph

LIBRARIES: Final = ("torch", "onnx", "onnxscript", "onnx_ir", "numpy")
"""Whose version stands for their source."""
OWN: Final = ("zoo", "zoo_export")
MIN_SHARED_BYTES: Final = 4_096
"""A parameter of at least so many bytes is read from the module, not from the file."""
MAX_STATE_BYTES: Final = 256 << 20
"""Graphs of larger models are not kept: finding out what they share with the model takes copies of both."""
State = Mapping[str, torch.Tensor]
"""A module's `state_dict`."""


class NotKept(Exception):
    """A module whose source cannot be told: nothing on disk can be known to be its graph."""


def read_capture(key: Hashable, signature: Signature, state: State) -> Graph | None:
    """The graph that was kept for the module with this state; None where there is none."""
    data = None if (name := entry_name(key)) is None else read_entry(name)
    if data is None:
        return None
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            facts = json.loads(arrays["facts"].tobytes())
            plain, shipped = (
                _filled(onnx.ModelProto.FromString(arrays[part].tobytes()), facts["state"][part], state)
                for part in ("plain", "shipped")
            )
    except (ValueError, KeyError, IndexError, OSError, DecodeError):  # written by another version
        return None
    return Graph(
        signature=signature,
        plain=StoredModel.of(plain),
        shipped=StoredModel.of(shipped),
        modules=facts["modules"],
        guard_violations=tuple(facts["guard_violations"]),
    )


def write_capture(key: Hashable, graph: Graph, state: State) -> None:
    """Keep a graph, unless it is large; parameters that are in it as they are in the module are not kept again."""
    if sum(tensor.nbytes for tensor in state.values()) > MAX_STATE_BYTES or (name := entry_name(key)) is None:
        return
    large = {path: tensor for path, tensor in state.items() if tensor.nbytes >= MIN_SHARED_BYTES}
    names = {hashlib.sha256(_bytes(tensor)).digest(): path for path, tensor in large.items()}
    plain, shared_by_plain = _emptied(graph.plain, names)
    shipped, shared_by_shipped = _emptied(graph.shipped, names)
    if len(plain) + len(shipped) > MAX_ENTRY_BYTES:
        return
    facts = {
        "modules": dict(graph.modules),
        "guard_violations": [dict(sizes) for sizes in graph.guard_violations],
        "state": {"plain": shared_by_plain, "shipped": shared_by_shipped},
    }
    parts = {"facts": json.dumps(facts).encode(), "plain": plain, "shipped": shipped}
    buffer = io.BytesIO()
    np.savez(buffer, **{part: np.frombuffer(data, np.uint8) for part, data in parts.items()})  # type: ignore[arg-type]
    write_entry(name, buffer.getbuffer())


def _emptied(stored: StoredModel, names: Mapping[bytes, str]) -> tuple[bytes, dict[str, str]]:
    """The graph without the bytes that the state has as well, and the path in the state by index of the initializer.

    `names` are the paths by digest.
    """
    model = onnx.ModelProto.FromString(stored.data)
    shared = {}
    for index, tensor in enumerate(model.graph.initializer):
        data = tensor.raw_data
        path = names.get(hashlib.sha256(data).digest()) if len(data) >= MIN_SHARED_BYTES else None
        if path is not None:
            shared[str(index)] = path
            tensor.ClearField("raw_data")
    return model.SerializeToString(), shared


def _filled(model: onnx.ModelProto, shared: Mapping[str, str], state: State) -> onnx.ModelProto:
    for index, path in shared.items():
        model.graph.initializer[int(index)].raw_data = _bytes(state[path])
    return model


def _bytes(tensor: torch.Tensor) -> bytes:
    data: bytes = tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return data


def entry_name(key: Hashable) -> str | None:
    """What is kept under, of what follows from a module; None where nothing is kept."""
    if not is_keeping():
        return None
    modules: set[str] = set(OWN)
    try:
        text = _text(key, modules)
        sources = [_source(package) for package in sorted(_packages(modules))]
    except NotKept:
        return None
    facts = (platform.python_version(), platform.machine(), str(torch.get_default_dtype()), *sources)
    return hashlib.sha256("\n".join((text, *facts)).encode()).hexdigest()


def _text(value: object, modules: set[str]) -> str:
    """A module described in words that are the same in every process; `modules` gathers where its classes stand."""
    if isinstance(value, tuple):
        return f"({','.join(_text(part, modules) for part in value)})"
    if isinstance(value, type):
        if value.__module__ == "__main__" or "<locals>" in value.__qualname__:
            raise NotKept
        modules.add(value.__module__)
        return f"{value.__module__}:{value.__qualname__}"
    return repr(value)


def _packages(modules: set[str]) -> set[str]:
    """The packages of these modules, and of what stands in them."""
    used = set(modules)
    for name in modules:
        for value in vars(sys.modules[name]).values():
            used.add(value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", None) or ""))
    return {name.partition(".")[0] for name in used if name} - set(sys.stdlib_module_names)


@cache
def _source(package: str) -> str:
    """The version of a library, else when and how large every source file of a package is."""
    module = sys.modules.get(package)
    if package in LIBRARIES:
        return f"{package} {version(package.replace('_', '-'))}"
    folders = [Path(folder) for folder in getattr(module, "__path__", ())]
    files = [file for folder in folders for file in sorted(folder.rglob("*.py"))]
    if not files and getattr(module, "__file__", None):
        files = [Path(str(getattr(module, "__file__", "")))]
    if not files:
        raise NotKept
    stats = [(str(file), file.stat()) for file in files]
    return f"{package} {[(name, status.st_size, status.st_mtime_ns) for name, status in stats]}"
