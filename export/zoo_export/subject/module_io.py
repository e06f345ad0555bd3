"""Between a module's own inputs and outputs and the named ports of a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils import _pytree as pytree

from zoo.api.task import Port, Signature
from zoo.models.outputs import flatten

Array = np.ndarray[Any, Any]


def output_order(outputs: object, ports: Sequence[Port]) -> list[str]:
    """Port names in the order in which the exporter flattens these outputs."""
    by_identity: dict[int, list[str]] = {}
    for name, tensor in flatten(outputs, ports).items():
        by_identity.setdefault(id(tensor), []).append(name)  # one tensor may go out under two names
    return [by_identity[id(leaf)].pop(0) for leaf in pytree.tree_leaves(outputs) if isinstance(leaf, torch.Tensor)]


def arguments(inputs: Mapping[str, Array], signature: Signature, *, double: bool = False) -> tuple[torch.Tensor, ...]:
    """The inputs of a graph as tensors in the module's order; `double` widens the floats among them."""
    tensors = [torch.from_numpy(np.array(inputs[port.name], order="C")) for port in signature.inputs]
    return tuple(tensor.double() if double and tensor.is_floating_point() else tensor for tensor in tensors)


def call(
    module: nn.Module, inputs: Mapping[str, Array], signature: Signature, *, double: bool = False
) -> dict[str, Array]:
    """What the module answers, by port name, without gradients; dtypes are the module's own."""
    with torch.no_grad():
        outputs = flatten(module(*arguments(inputs, signature, double=double)), signature.outputs)
    return {name: tensor.contiguous().numpy() for name, tensor in outputs.items()}


def dynamic_axes(port: Port) -> dict[int, str]:
    """Axis number to axis name for the dynamic axes of a port."""
    return {axis: size for axis, size in enumerate(port.shape) if isinstance(size, str)}
