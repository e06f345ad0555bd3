"""The operators that torch's exporter can write, looked up once a process instead of at every capture.

`torch.onnx.export` builds its registry anew each time, from the source text of some 550 functions: a fifth of what a
small module's capture costs.  The registry is private to torch.  Where it is not as this file knows it, nothing is
remembered and torch works in its own way; `tests/zoo_export/capture/test_exporter_registry.py` fails where torch's
source has changed.  The decomposition table beside it costs a tenth of that and depends on what torch has patched at
the moment (its recurrent layers), so it is left to torch.
"""

from __future__ import annotations

import copy
import importlib
import inspect
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

import torch

REGISTRATION: Final = "torch.onnx._internal.exporter._registration"
OPERATORS: Final = "torch.onnx._internal.exporter._torchlib._torchlib_registry"
FUNCTIONS: Final = "onnxscript.function_libs.torch_lib"
MAX_REGISTRIES: Final = 4
"""One per opset, and more where operators were added in between."""

_registries: dict[Hashable, Any] = {}


@contextmanager
def remembered_registry() -> Iterator[bool]:
    """While the block runs, torch's exporter gets a copy of the registry that it built before; False where it cannot.

    A registry is built anew where an operator or one of its ONNX functions was added since.
    """
    registration = guarded_registration()
    if registration is None:
        yield False
        return
    registry = registration.ONNXRegistry
    original = vars(registry)["from_torchlib"]
    default = inspect.signature(registry.from_torchlib).parameters["opset_version"].default

    def from_torchlib(cls: type[Any], opset_version: int = default) -> Any:
        key = (cls, opset_version, _known_operators())
        if key not in _registries:
            while len(_registries) >= MAX_REGISTRIES:
                del _registries[next(iter(_registries))]
            _registries[key] = original.__func__(cls, opset_version=opset_version)
        return _copied(_registries[key])

    registry.from_torchlib = classmethod(from_torchlib)
    try:
        yield True
    finally:
        registry.from_torchlib = original


def guarded_registration() -> ModuleType | None:
    """Torch's module of the registry, if everything that is relied on is as this file knows it."""
    try:
        registration = importlib.import_module(REGISTRATION)
        original = vars(registration.ONNXRegistry)["from_torchlib"]
        parameters = list(inspect.signature(original.__func__).parameters)
        empty = vars(registration.ONNXRegistry())
        _known_operators()
    except (ImportError, AttributeError, KeyError, TypeError, ValueError):
        return None
    as_known = isinstance(original, classmethod) and parameters == ["cls", "opset_version"]
    return registration if as_known and empty.keys() == {"_opset_version", "functions"} else None


def _known_operators() -> Hashable:
    """Everything that a registry is made of: torch's operators, and the functions that write them as ONNX."""
    importlib.import_module(f"{FUNCTIONS}.ops")  # fills the registry below
    library = importlib.import_module(f"{FUNCTIONS}.registration").default_registry.items()
    return (
        tuple(torch._C._dispatch_get_all_op_names()),
        tuple(map(id, importlib.import_module(OPERATORS).get_torchlib_ops())),
        tuple((name, *map(id, written.overloads), *map(id, written.complex)) for name, written in library),
    )


def _copied(registry: Any) -> Any:
    """A registry of its own: an export may add operators to it."""
    copied = copy.copy(registry)
    copied.functions = {operator: list(written) for operator, written in registry.functions.items()}
    return copied
