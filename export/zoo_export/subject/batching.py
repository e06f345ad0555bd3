"""Single inputs joined into batches, and the outputs of batches split, along the axis named "batch"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from zoo.api.task import Port, Signature
from zoo.models.outputs import Array
from zoo_export.subject.results import Outputs

SPATIAL = ("height", "width")
"""Axes along which the parts of one picture lie: a class map has as many rows as its picture, and is one item."""


def batch_axis(port: Port, name: str) -> int | None:
    """Where a port has the batch, if it has one."""
    return port.shape.index(name) if name in port.shape else None


def batch_name(signature: Signature) -> str | None:
    """The axis that all inputs and outputs share and that comes first in the first input; None without one."""
    name = signature.inputs[0].shape[0] if signature.inputs[0].shape else None
    if not isinstance(name, str) or name in SPATIAL:
        return None
    ports = (*signature.inputs, *signature.outputs)
    return name if all(batch_axis(port, name) is not None for port in ports) else None


def group_size(inputs: Mapping[str, Array], signature: Signature) -> int:
    """How many items an input holds: the size of its first axis."""
    return int(inputs[signature.inputs[0].name].shape[0])


def batches(inputs: Sequence[Mapping[str, Array]], signature: Signature, *, largest: int) -> list[list[int]]:
    """Indices of inputs that can go through together, in order."""
    if batch_name(signature) is None:
        return [[index] for index in range(len(inputs))]
    groups: dict[tuple[tuple[int, ...], ...], list[int]] = {}
    for index, arrays in enumerate(inputs):
        groups.setdefault(tuple(arrays[port.name].shape for port in signature.inputs), []).append(index)
    return [group[at : at + largest] for group in groups.values() for at in range(0, len(group), largest)]


def join(inputs: Sequence[Mapping[str, Array]], ports: Sequence[Port]) -> dict[str, Array]:
    """One batch of several inputs."""
    if len(inputs) == 1:
        return dict(inputs[0])
    name = ports[0].shape[0]
    return {
        port.name: np.concatenate([arrays[port.name] for arrays in inputs], port.shape.index(name)) for port in ports
    }


def split(outputs: Outputs, signature: Signature, sizes: Sequence[int]) -> list[Outputs]:
    """The outputs of a batch, input by input; `sizes` are the items of each."""
    if len(sizes) == 1:
        return [outputs]
    name = signature.inputs[0].shape[0]
    cuts = np.cumsum(sizes)[:-1]
    parts = {port.name: np.split(outputs[port.name], cuts, port.shape.index(name)) for port in signature.outputs}
    return [{port: rows[index] for port, rows in parts.items()} for index in range(len(sizes))]
