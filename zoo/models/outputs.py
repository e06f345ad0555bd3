"""Between a module's own inputs and outputs and the named ports of a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils import _pytree as pytree

from zoo.api.data import counted
from zoo.api.errors import PluginError
from zoo.api.task import Port, Signature

Array = np.ndarray[Any, Any]


def flatten(outputs: object, ports: Sequence[Port]) -> dict[str, torch.Tensor]:
    """The module's outputs by port name: a mapping by its keys, anything else in its own order."""
    if isinstance(outputs, Mapping):
        named = {str(key): value for key, value in outputs.items() if isinstance(value, torch.Tensor)}
        if set(named) == {port.name for port in ports}:
            return {port.name: named[port.name] for port in ports}
    leaves = [leaf for leaf in pytree.tree_leaves(outputs) if isinstance(leaf, torch.Tensor)]
    if len(leaves) != len(ports):
        names = ", ".join(port.name for port in ports)
        raise PluginError(
            f"the module gives {counted(len(leaves), 'tensor')} but its signature names "
            f"{counted(len(ports), 'output')}: {names}",
            hint="declare every output in the signature, or return fewer from an adapter",
        )
    return dict(zip((port.name for port in ports), leaves, strict=True))


def arguments(inputs: Mapping[str, Array], signature: Signature, *, double: bool = False) -> tuple[torch.Tensor, ...]:
    """The inputs of a graph as tensors in the module's order; `double` widens the floats among them."""
    tensors = [torch.from_numpy(np.array(inputs[port.name], order="C")) for port in signature.inputs]
    return tuple(tensor.double() if double and tensor.is_floating_point() else tensor for tensor in tensors)


def call(
    module: nn.Module,
    inputs: Mapping[str, Array],
    signature: Signature,
    *,
    double: bool = False,
    device: torch.device | str = "cpu",
) -> dict[str, Array]:
    """The module's outputs by port name, computed on `device` without gradients; dtypes are the module's own."""
    tensors = [tensor.to(device) for tensor in arguments(inputs, signature, double=double)]
    with torch.no_grad():
        outputs = flatten(module(*tensors), signature.outputs)
    return {name: tensor.cpu().contiguous().numpy() for name, tensor in outputs.items()}
