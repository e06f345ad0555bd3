"""Graphs that are kept: a module that was captured before, with the same settings, is not captured again.

Preprocess and postprocess depend on the task's settings alone, so that the models of a sweep share them within a
process.  Small graphs are also kept on disk (`capture_files`), for a second proof of the same target.  A module is
recognised by its classes and by every attribute of it and its parts; where one of those is of a kind that this file
does not know, the module is captured anew.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, cast

import torch
from torch import nn

from zoo.api.task import Signature
from zoo.bundle.onnx_file.external_data import MAX_ONNX_BYTES
from zoo.models.outputs import Array
from zoo_export.capture.capture_files import read_capture, write_capture
from zoo_export.capture.torch_export import Graph, export_graph
from zoo_export.subject.state_dict import state_bytes

MAX_CAPTURES: Final = 16
MAX_DEPTH: Final = 32
"""Of attributes within attributes; a module that refers to itself has no end."""

PLAIN: Final = (bool, int, str, bytes, torch.dtype, torch.device)

_captures: dict[Hashable, Graph] = {}
"""The oldest first."""


class UnknownKind(Exception):
    """An attribute that cannot be compared with that of another module."""


def export_kept(
    module: nn.Module, example: Mapping[str, Array], signature: Signature, *, opset: int, name: str
) -> Graph:
    """As `export_graph`; the caller does not change the graph, which others of this process may be given too."""
    key = _key(module, example, signature, opset=opset)
    if key is None:
        return export_graph(module, example, signature, opset=opset, name=name)
    graph = _captures.pop(key, None) or _kept_on_disk(key, module, example, signature, opset=opset, name=name)
    while len(_captures) >= MAX_CAPTURES:
        del _captures[next(iter(_captures))]
    _captures[key] = graph
    return graph


def export_kept_on_disk(
    module: nn.Module,
    example: Mapping[str, Array],
    signature: Signature,
    *,
    opset: int,
    name: str,
    one_file: int = MAX_ONNX_BYTES,
) -> Graph:
    """As `export_graph`, of the files alone: the graph is the caller's own.  What has weights beside it is not kept."""
    large = state_bytes(module) > one_file
    key = None if large else _key(module, example, signature, opset=opset)
    if key is None:
        return export_graph(module, example, signature, opset=opset, name=name, one_file=one_file)
    return _kept_on_disk(key, module, example, signature, opset=opset, name=name)


def _kept_on_disk(
    key: Hashable, module: nn.Module, example: Mapping[str, Array], signature: Signature, *, opset: int, name: str
) -> Graph:
    state = {name: value for name, value in module.state_dict().items() if isinstance(value, torch.Tensor)}
    graph = read_capture(key, signature, state)
    if graph is None:
        graph = export_graph(module, example, signature, opset=opset, name=name)
        write_capture(key, graph, state)
    return graph


def _key(module: nn.Module, example: Mapping[str, Array], signature: Signature, *, opset: int) -> Hashable | None:
    """Equal for modules that give the same graph; None where that cannot be known."""
    key = module_key(module, signature)
    shapes = tuple((name, value.dtype.str, value.shape) for name, value in example.items())
    return None if key is None else (*key, shapes, opset)


def module_key(module: nn.Module, signature: Signature) -> tuple[Hashable, ...] | None:
    """Equal for modules that give the same outputs for the same inputs; None where that cannot be known."""
    try:
        return _described(module), _described(signature)
    except UnknownKind:
        return None


def _described(value: object, depth: int = 0) -> Hashable:
    """A value that equals another's only where both behave the same; UnknownKind where there is none."""
    if depth > MAX_DEPTH:
        raise UnknownKind
    kind = type(value)
    if value is None or kind in PLAIN or isinstance(value, Enum):
        return kind, value
    if isinstance(value, type):  # a kind of layer that a network makes its parts of
        return kind, value
    if isinstance(value, torch.Tensor):
        return _described_tensor(value)
    return kind, tuple(_described(part, depth + 1) for part in _parts(value))


def _parts(value: object) -> Iterable[object]:
    """What a value consists of, beside its type."""
    kind = type(value)
    if isinstance(value, float | complex):
        return (repr(value),)  # 0.0 equals -0.0
    if isinstance(value, nn.Module):
        return vars(value).items()
    if kind in (dict, OrderedDict, MappingProxyType):
        return cast("Mapping[object, object]", value).items()
    if kind in (list, tuple, torch.Size):
        return cast("Iterable[object]", value)
    if kind in (set, frozenset):
        return sorted(cast("Iterable[object]", value), key=repr)
    if is_dataclass(value) and not isinstance(value, type) and cast("Any", kind).__dataclass_params__.frozen:
        return [getattr(value, field.name) for field in fields(value)]
    raise UnknownKind


def _described_tensor(value: torch.Tensor) -> Hashable:
    kind = type(value)
    if kind not in (torch.Tensor, nn.Parameter) or value.layout != torch.strided or value.device.type != "cpu":
        raise UnknownKind
    data: Any = value.detach().contiguous().reshape(-1).view(torch.uint8).numpy()
    return kind, value.dtype, tuple(value.shape), value.stride(), hashlib.sha256(data).digest()
