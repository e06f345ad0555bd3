"""Between a module's own inputs and outputs and the named ports of a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch.utils import _pytree as pytree

from zoo.api.errors import PluginError
from zoo.api.task import Port


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
            f"the module gives {len(leaves)} tensors but its signature names {len(ports)} outputs: {names}",
            hint="declare every output in the signature, or return fewer from an adapter",
        )
    return dict(zip((port.name for port in ports), leaves, strict=True))
