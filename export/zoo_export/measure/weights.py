"""Are the numbers in the file the module's own?  Bit for bit, from state to captured graph to shipped file."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from zoo.api.task import Signature
from zoo.bundle.judge.evidence import Lineage
from zoo.bundle.onnx_file.external_data import Weights, numbers
from zoo.models.outputs import Array, call
from zoo_export.capture.compose import OUTER
from zoo_export.capture.onnx_graph import nodes
from zoo_export.subject.state_dict import state, tensor_bytes

EXPLAINED_BYTES = 1024
"""A float constant up to this size may be written in the code (an epsilon, a mean); above it, it must have a name."""


class _Stored(NamedTuple):
    """An initialiser."""

    shape: tuple[int, ...]
    bytes: Array
    """As numbers 0..255; of weights beside the graph a view of their file."""

    def equals(self, other: _Stored) -> bool:
        """The same shape and bytes."""
        return self.shape == other.shape and np.array_equal(self.bytes, other.bytes)


def _initialisers(model: onnx.ModelProto, weights: Weights | None = None) -> dict[str, _Stored]:
    return {
        tensor.name: _Stored(
            tuple(tensor.dims),
            np.frombuffer(tensor.raw_data, np.uint8) if tensor.raw_data else _flat(numbers(tensor, weights)),
        )
        for tensor in model.graph.initializer
    }


def _flat(values: Array) -> Array:
    return np.asarray(np.ascontiguousarray(values).reshape(-1).view(np.uint8))


def measure_lineage(
    module: nn.Module,
    plain: onnx.ModelProto,
    inputs: Mapping[str, Array],
    signature: Signature,
    *,
    weights: Weights | None = None,
) -> Lineage:
    """The module's state against the unoptimised graph; what the graph lacks is proved unused or called missing.

    `weights` is the file beside the graph, where it has one.
    """
    tensors = state(module)
    kept = _initialisers(plain, weights)
    first_name: dict[tuple[int, tuple[int, ...], tuple[int, ...]], str] = {}
    tied, different, absent, equal = [], [], [], 0
    groups: dict[str, list[str]] = {}
    for name, tensor in tensors.items():
        key = (tensor.data_ptr(), tuple(tensor.shape), tensor.stride())  # a square matrix is not its transpose
        owner = first_name.setdefault(key, name) if tensor.numel() else name
        groups.setdefault(owner, []).append(name)
    for owner, names in groups.items():
        stored = [name for name in names if name in kept]  # all of them: a file may hold a tied tensor twice
        own = _Stored(tuple(tensors[owner].shape), tensor_bytes(tensors[owner])) if stored else None
        wrong = [name for name in stored if own is not None and not own.equals(kept[name])]
        tied += [f"{name} = {owner}" for name in names if name != owner]
        different += wrong
        absent += [] if stored else [owner]
        equal += bool(stored) and not wrong
    counters = _counters(module, different, inputs, signature)
    different = [name for name in different if name not in counters]
    equal += len(counters)
    reached = _reached(module, [name for owner in absent for name in groups[owner]], inputs, signature)
    missing = [owner for owner in absent if reached]
    return Lineage(
        total=len(groups),
        equal=equal,
        unused=tuple(owner for owner in absent if not reached),
        tied=tuple(tied),
        different=tuple(different),
        missing=tuple(missing),
        extra=_unexplained(plain, tensors, _attributes(module), weights),
    )


def _counters(
    module: nn.Module, names: Sequence[str], inputs: Mapping[str, Array], signature: Signature
) -> frozenset[str]:
    """Those of these buffers that every call changes, as a counter does, and that no answer follows."""
    buffers = dict(module.named_buffers())
    candidates = [name for name in names if name in buffers]
    if not candidates:
        return frozenset()
    called = copy.deepcopy(module)
    before = call(called, inputs, signature)
    changing = [name for name in candidates if not torch.equal(dict(called.named_buffers())[name], buffers[name])]
    moved = copy.deepcopy(module)
    for name in changing:
        buffer = dict(moved.named_buffers())[name]
        buffer.copy_(buffer + 7 if buffer.dtype != torch.bool else ~buffer)
    after = call(moved, inputs, signature)
    same = all(np.array_equal(before[name], after[name]) for name in before)
    return frozenset(changing) if same else frozenset()


def changed_buffers(module: nn.Module, inputs: Mapping[str, Array], signature: Signature) -> tuple[str, ...]:
    """Buffers that a call changes, and that answers follow; the module itself is left as it is."""
    called = copy.deepcopy(module)
    call(called, inputs, signature)
    before, after = dict(module.named_buffers()), dict(called.named_buffers())
    changed = [name for name, value in before.items() if not torch.equal(value, after[name])]
    counters = _counters(module, changed, inputs, signature)
    return tuple(name for name in changed if name not in counters)


def _reached(module: nn.Module, names: list[str], inputs: Mapping[str, Array], signature: Signature) -> bool:
    """Does any output change when these tensors are overwritten?  Then they are in use."""
    if not names:
        return False
    others = {id(value): value for name, value in module.named_parameters() if name not in names}
    changed = copy.deepcopy(module, others)  # a call changes no parameters
    tensors = state(changed)
    for name in names:
        tensor = tensors[name]
        tensor.copy_(torch.full_like(tensor, float("nan")) if tensor.is_floating_point() else _other_values(tensor))
    try:
        after = call(changed, inputs, signature)
    except (RuntimeError, IndexError):
        return True
    before = call(module, inputs, signature)
    return any(not np.array_equal(before[name], after[name]) for name in before)


def _other_values(tensor: torch.Tensor) -> torch.Tensor:
    """Whole numbers, each different from the tensor's own, and small enough to be an index into a table."""
    return tensor == 0 if tensor.dtype == torch.bool else (tensor == 0).to(tensor.dtype)


def _attributes(module: nn.Module) -> list[torch.Tensor]:
    """Tensors that modules hold as plain attributes, also in a dict or list that they keep."""
    values = [value for part in module.modules() for value in vars(part).values()]
    kept = [list(value.values()) if isinstance(value, dict) else value for value in values]
    several = [item for value in kept if isinstance(value, list | tuple) for item in value]
    return [value for value in (*kept, *several) if isinstance(value, torch.Tensor)]


def _unexplained(
    model: onnx.ModelProto,
    tensors: Mapping[str, torch.Tensor],
    attributes: Sequence[torch.Tensor],
    weights: Weights | None,
) -> tuple[str, ...]:
    """Float constants above a kilobyte that are no state of the module, and byte for byte no tensor that it holds."""
    extra = [tensor for tensor in model.graph.initializer if tensor.name not in tensors]
    inline = [
        (node.output[0], a.t) for node in nodes(model.graph) if node.op_type == "Constant" for a in node.attribute
    ]
    floats = {onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16}
    named = [(tensor.name, numbers(tensor, weights)) for tensor in extra if tensor.data_type in floats]
    named += [(name, numpy_helper.to_array(tensor)) for name, tensor in inline if tensor.data_type in floats]
    large = [(name, values) for name, values in named if values.nbytes > EXPLAINED_BYTES]
    known = {_digest(tensor_bytes(tensor)) for tensor in (*tensors.values(), *attributes)} if large else set()
    return tuple(
        f"{name} {list(values.shape)} (a constant of the code: give it to register_buffer, so that it has a name)"
        for name, values in large
        if _digest(_flat(values)) not in known
    )


def _digest(values: Array) -> bytes:
    return hashlib.sha256(values.data).digest()


def differing(
    file: onnx.ModelProto,
    derived: onnx.ModelProto,
    *,
    weights: Weights | None = None,
    derived_weights: Weights | None = None,
) -> tuple[str, ...]:
    """Initialisers of a file that are not, byte for byte, those derived anew from the module; a sentence each.

    Where preprocess and postprocess have other operators, as another version of zoo wrote them, their constants have
    no counterparts; `verify.rederive` says that the operators differ.
    """
    expected, actual = _initialisers(derived, derived_weights), _initialisers(file, weights)
    if _operators_of_ends(file) != _operators_of_ends(derived):
        expected, actual = (
            {name: value for name, value in named.items() if not name.startswith(OUTER)} for named in (expected, actual)
        )
    sentences = [f"{name} is not in the file" for name in expected if name not in actual]
    sentences += [f"{name} is in the file only" for name in actual if name not in expected]
    sentences += [
        f"{name}: {_difference(actual[name], values)}"
        for name, values in expected.items()
        if name in actual and not actual[name].equals(values)
    ]
    return tuple(sentences)


def _operators_of_ends(model: onnx.ModelProto) -> list[str]:
    """The operators of preprocess and postprocess in a pipeline, in order."""
    return [node.op_type for node in model.graph.node if any(name.startswith(OUTER) for name in node.output)]


def _difference(actual: _Stored, expected: _Stored) -> str:
    if actual.shape != expected.shape:
        return f"shape {list(actual.shape)}, not {list(expected.shape)}"
    if actual.bytes.size != expected.bytes.size:
        return "another dtype"
    changed = actual.bytes != expected.bytes
    return f"{int(changed.sum())} of {changed.size} bytes differ"


TRACED_ELEMENTS = 16
"""Smaller tensors are constants of the code as often as weights."""
FOLDED = 2e-6
"""Largest relative difference of an element that two exporters folded from the same numbers."""
CHANGED = 0.5
"""Relative difference up to which a tensor is the same one, changed."""


def trace(
    module: nn.Module,
    derived: onnx.ModelProto,
    file: onnx.ModelProto,
    *,
    weights: Weights | None = None,
    derived_weights: Weights | None = None,
) -> Lineage | None:
    """The lineage of a file that zoo did not write, by the numbers of its float initialisers.

    They are the module's own, bit for bit, or folded from them as zoo's export folds them, up to the last bits.  None
    where some of them are like neither; then their lineage is not known.
    """
    own = {name: tensor.cpu().numpy() for name, tensor in state(module).items() if tensor.is_floating_point()}
    folded = {tensor.name: numbers(tensor, derived_weights) for tensor in derived.graph.initializer}
    folded = {n: v for n, v in folded.items() if v.dtype.kind == "f" and not np.array_equal(v, own.get(n, _NOTHING))}
    equal, different = 0, []
    for tensor in file.graph.initializer:
        values = numbers(tensor, weights)
        if values.dtype.kind != "f" or values.size < TRACED_ELEMENTS:
            continue
        same, alike = _nearest(values, own), _nearest(values, folded)
        if same.largest == 0 or alike.largest <= FOLDED:
            equal += 1
        elif min(same.median, alike.median) > CHANGED:
            return None
        else:
            different.append(
                f"{tensor.name} is {min(same, alike).name}, changed by up to {min(same, alike).largest:.1e}"
            )
    return Lineage(total=equal + len(different), equal=equal, different=tuple(different)) if equal else None


_NOTHING = np.zeros(0)


class _Distance(NamedTuple):
    """How far a tensor is from another, relative to each element; the median tells a changed one from a foreign one."""

    median: float
    largest: float
    name: str


def _nearest(values: Array, known: Mapping[str, Array]) -> _Distance:
    """The tensor most like this one, as it is or transposed."""
    best = _Distance(float("inf"), float("inf"), "")
    for name, other in known.items():
        for candidate in [other, other.T] if other.ndim == 2 else [other]:
            if candidate.shape == values.shape:
                small = 1e-3 * float(np.abs(candidate).max())  # elements near zero are compared with the tensor's size
                scale = np.maximum(np.maximum(np.abs(candidate), small), np.finfo(np.float32).tiny)
                error = np.abs(values - candidate) / scale
                best = min(best, _Distance(float(np.median(error)), float(error.max()), name))
    return best
