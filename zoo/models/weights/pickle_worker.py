"""The sandboxed process that turns a pickled checkpoint into safetensors.  Run by `zoo.models.weights.pickled`.

PyTorch's restricted unpickler runs no code of the file; should it ever fail, this process has no network, little
memory and little time.  The reply is one line of JSON.  [torch]
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from zoo.bundle.sandbox.worker import cut_off_network, limit_cpu, limit_memory

WRAPPERS = (
    *("state_dict_ema", "ema_state_dict", "model_ema_state_dict", "model_ema", "ema_model", "params_ema", "ema"),
    *("state_dict", "model_state_dict", "model_state", "model", "params", "network", "net", "module", "weights"),
    *("teacher", "student"),
)
"""Where trainings keep the parameters inside a checkpoint, the averaged ones first: they are what was measured."""
MAX_DEPTH = 3
HARMLESS = (argparse.Namespace, pathlib.PosixPath, pathlib.PurePosixPath)
"""Types of settings that checkpoints hold beside their tensors; making one runs nothing of the file's."""


def parameters(loaded: object) -> tuple[str, Mapping[str, object]]:
    """Where the parameters are ("state_dict", or "" for the top), and the mapping; LookupError where there are none."""
    places = sorted(_mappings(loaded, "", 0), key=lambda place: _rank(place[0]))
    if not places:
        raise LookupError("it holds no tensors by name")
    return places[0]


def _mappings(value: object, path: str, depth: int) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Every mapping that holds tensors itself."""
    if not isinstance(value, Mapping) or depth > MAX_DEPTH:
        return
    if any(isinstance(item, Tensor) for item in value.values()) and all(isinstance(name, str) for name in value):
        yield path, value
    for name, item in value.items():
        if isinstance(name, str) and name not in ("optimizer", "optimizer_state_dict", "optimizer_states"):
            yield from _mappings(item, f"{path}.{name}".lstrip("."), depth + 1)


def _rank(path: str) -> tuple[int, int]:
    """The order in which places are taken: the known ones, then the outermost."""
    names = path.split(".")
    known = [WRAPPERS.index(name) for name in names if name in WRAPPERS]
    return (min(known) if known else len(WRAPPERS)), len(names)


def convert(source: Path, output: Path) -> dict[str, object]:
    """Write the tensors of `source`; what was written and what was left out."""
    torch.serialization.add_safe_globals(list(HARMLESS))
    try:
        loaded = torch.load(source, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        return {"error": "code", "message": _refused_type(str(error))}
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, AttributeError) as error:
        kind = "torchscript" if "TorchScript" in str(error) or "torch.jit" in str(error) else "unreadable"
        return {"error": kind, "message": " ".join(str(error).split())[:300]}
    try:
        place, state = parameters(loaded)
    except LookupError as error:
        return {"error": "empty", "message": str(error)}
    tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    if odd := [name for name, value in tensors.items() if value.is_quantized or value.layout != torch.strided]:
        return {"error": "odd", "message": f"{odd[0]} is a quantised or sparse tensor"}
    size = source.stat().st_size
    if sum(value.numel() * value.element_size() for value in tensors.values()) > 2 * size + (1 << 20):
        return {"error": "unreadable", "message": "its tensors claim more bytes than the file has"}
    versions = getattr(state, "_metadata", None)
    metadata = {"place": place, "versions": json.dumps(versions) if _plain(versions) else ""}
    save_file({name: value.detach().contiguous().clone() for name, value in tensors.items()}, output, metadata=metadata)
    return {"place": place, "tensors": len(tensors)}


def _refused_type(message: str) -> str:
    """The type that the restricted unpickler refused, as far as its sentence names it."""
    _, _, rest = message.partition("GLOBAL ")
    return rest.split()[0] if rest else ""


def _plain(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return isinstance(value, Mapping)


def main() -> None:
    """Convert the file that the settings name, after the limits are set."""
    settings = json.loads(sys.argv[1])
    limit_memory(settings["memory_mb"])
    limit_cpu(settings["cpu_seconds"])
    cut_off_network()
    try:
        reply = convert(Path(settings["source"]), Path(settings["output"]))
    except MemoryError:
        reply = {"error": "unreadable", "message": "it wants more memory than it may have"}
    print(json.dumps(reply))


if __name__ == "__main__":
    main()
