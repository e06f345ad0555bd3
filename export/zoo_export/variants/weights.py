"""The weights of a variant against those of the proved model: each within half a step, or bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from zoo.bundle.judge.variant_evidence import WeightFidelity
from zoo.models.outputs import Array
from zoo_export.capture.onnx_graph import nodes, subgraphs

SLACK = 1e-3
"""Of a step: the quantiser divides in single precision."""
HALF_ROUNDING, HALF_SMALLEST, HALF_LARGEST = 2.0**-11, 1.01e-7, 1e4
"""Of half precision; the conversion raises smaller numbers, and cuts larger ones, as the mask of an attention has."""
LARGE_BYTES = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """A weight as the variant holds it, in float64, and how far rounding may have moved each element."""

    values: Array
    allowed: Array
    names: tuple[str, ...]
    largest: float = np.inf
    """Proved numbers beyond it are cut."""


def weight_fidelity(model: onnx.ModelProto, variant: onnx.ModelProto) -> WeightFidelity:
    """How the variant holds every float weight of the proved model."""
    proved = {tensor.name: tensor for tensor in model.graph.initializer if _is_float(tensor)}
    held = _Held(variant)
    equal, quantised = 0, 0
    different, used = [], set[str]()
    for name, tensor in proved.items():
        expected = numpy_helper.to_array(tensor)
        if name in held.tensors and held.tensors[name].data_type == tensor.data_type:
            used.add(name)
            if held.array(name).tobytes() == expected.tobytes() and name in held.read:
                equal += 1
            else:
                different.append(name)
            continue
        stored = held.stored(name, expected.shape)
        if stored is not None:
            used |= set(stored.names)
        if stored is not None and stored.names[0] in held.read and _is_near(stored, expected):
            quantised += 1
        else:
            different.append(name)
    others = {tensor.name for tensor in model.graph.initializer}
    extra = [name for name, size in held.large() if name not in used | others]
    return WeightFidelity(
        total=len(proved), equal=equal, quantised=quantised, different=tuple(different), extra=tuple(extra)
    )


def _is_near(stored: _Stored, expected: Array) -> bool:
    """Element by element; the quantiser turns the matrix of a Gemm round, and the graph with it."""
    wide = expected.astype(np.float64)
    for turned in (stored, _transposed(stored)):
        if turned.values.shape == wide.shape:
            near = np.abs(turned.values - wide) <= turned.allowed
            cut = (np.abs(wide) > stored.largest) & (turned.values * np.sign(wide) >= stored.largest)
            if bool((near | cut).all()):
                return True
    return False


def _is_float(tensor: onnx.TensorProto) -> bool:
    return bool(tensor.data_type == onnx.TensorProto.FLOAT)


class _Held:
    """The initialisers of a variant, and the nodes that read them."""

    def __init__(self, variant: onnx.ModelProto) -> None:
        self.tensors = {tensor.name: tensor for tensor in variant.graph.initializer}
        self.read = _read(variant.graph)
        """A bias that no node adds is as good as lost."""
        self.readers: dict[str, onnx.NodeProto] = {}
        """What turns a tensor back to float, or multiplies with its blocks."""
        rows = {node.output[0]: node.input[0] for node in nodes(variant.graph) if node.op_type == "Gather"}
        for node in nodes(variant.graph):
            if node.op_type == "DequantizeLinear":
                self.readers[rows.get(node.input[0], node.input[0])] = node
            elif node.op_type == "MatMulNBits":
                self.readers[node.input[1]] = node

    def array(self, name: str) -> Array:
        array: Array = numpy_helper.to_array(self.tensors[name])
        return array

    def large(self) -> Iterator[tuple[str, int]]:
        for name, tensor in self.tensors.items():
            size = len(tensor.raw_data) or 4 * int(np.prod(tensor.dims))
            if size > LARGE_BYTES:
                yield name, size

    def stored(self, name: str, shape: tuple[int, ...]) -> _Stored | None:
        """A proved weight by its name, whatever form the conversion gave it; None where it is not there."""
        if name in self.tensors and self.tensors[name].data_type == onnx.TensorProto.FLOAT16:
            values = self.array(name).astype(np.float64)
            allowed = np.abs(values) * HALF_ROUNDING + HALF_SMALLEST
            return _Stored(values=values, allowed=allowed, names=(name,), largest=HALF_LARGEST)
        for own, transposed in ((name, False), (f"{name}_Transposed", True)):
            if own in self.tensors and self.tensors[own].data_type == onnx.TensorProto.FLOAT:
                values = self.array(own).astype(np.float64).T
                return _Stored(values=values, allowed=np.zeros_like(values), names=(own,))
            stored = self._in_bytes(own) or self._in_blocks(own, shape)
            if stored is not None:
                return _transposed(stored) if transposed else stored
        return None

    def _in_bytes(self, name: str) -> _Stored | None:
        quantised = f"{name}_quantized"
        if quantised not in self.tensors:
            return None
        reader, axis = self.readers.get(quantised), None
        if reader is not None:
            scale, zero = reader.input[1], reader.input[2]
            axis = next((attribute.i for attribute in reader.attribute if attribute.name == "axis"), 1)
        else:
            scale, zero = f"{name}_scale", f"{name}_zero_point"
        if scale not in self.tensors or zero not in self.tensors:
            return None
        values = self.array(quantised).astype(np.float64)
        steps, zeros = (_along(self.array(part).astype(np.float64), values, axis) for part in (scale, zero))
        return _Stored(
            values=(values - zeros) * steps,
            allowed=np.abs(steps) * (0.5 + SLACK) * np.ones_like(values),
            names=(quantised, scale, zero),
        )

    def _in_blocks(self, name: str, shape: tuple[int, ...]) -> _Stored | None:
        """Of MatMulNBits: [columns, blocks, bytes] of two weights a byte, around 8, with a scale a block."""
        blocks = (read for read, node in self.readers.items() if node.op_type == "MatMulNBits")
        packed = next((read for read in blocks if _made_of(read, name)), "")
        if not packed or len(shape) != 2:
            return None
        scale = self.readers[packed].input[2]
        raw, scales = self.array(packed), self.array(scale).astype(np.float64)
        steps = scales.reshape(raw.shape[0], raw.shape[1], 1)
        quarters = np.stack([raw & 15, raw >> 4], -1).reshape(raw.shape[0], raw.shape[1], -1).astype(np.float64)
        # from -8 to 7: the largest of a block is one step above what seven steps reach, where its sign is the rarer one
        near = np.where(quarters == 15, 1.0, 0.5) + SLACK
        rows, allowed = (
            part.reshape(raw.shape[0], -1)[:, : shape[0]].T for part in ((quarters - 8) * steps, near * np.abs(steps))
        )
        return _Stored(values=rows, allowed=allowed, names=(packed, scale))


def _read(graph: onnx.GraphProto) -> set[str]:
    """The values that the outputs of a graph are made of; a value whose only reader leads nowhere is none of them."""
    read = {output.name for output in graph.output}
    for node in reversed(graph.node):  # they stand in order
        if read.intersection(node.output):
            inside = (inner for subgraph in subgraphs(node) for inner in nodes(subgraph))
            read.update(name for reader in (node, *inside) for name in reader.input)
    return read


def _made_of(quantised: str, name: str) -> bool:
    return quantised.startswith(f"{name}_Q4") or quantised.startswith(f"{name}_DQ_Q4")


def _along(values: Array, like: Array, axis: int | None) -> Array:
    """A number for each channel, shaped to meet the tensor; the axis of a matrix product is its last."""
    if values.size == 1:
        return values.reshape([1] * like.ndim)
    axis = like.ndim - 1 if axis is None else axis
    shape: list[Any] = [1] * like.ndim
    shape[axis] = -1
    return values.reshape(shape)


def _transposed(stored: _Stored) -> _Stored:
    return replace(stored, values=stored.values.T, allowed=stored.allowed.T)
