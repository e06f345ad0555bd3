"""All tensors of a module by name, and their digest."""

from __future__ import annotations

import copy
import hashlib

import numpy as np
import torch
from torch import nn

from zoo.models.outputs import Array


def state(module: nn.Module) -> dict[str, torch.Tensor]:
    """Every tensor of the module by name: parameters and buffers, those that checkpoints leave out included."""
    named: dict[str, torch.Tensor] = dict(module.named_parameters(remove_duplicate=False))
    named.update(module.named_buffers(remove_duplicate=False))
    return {name: tensor.detach() for name, tensor in named.items()}


def state_sha256(module: nn.Module) -> str:
    """Digest over names, dtypes, shapes and bytes, in name order."""
    digest = hashlib.sha256()
    for name, tensor in sorted(state(module).items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor_bytes(tensor).data)
    return digest.hexdigest()


def tensor_bytes(tensor: torch.Tensor) -> Array:
    """The bytes of its elements, in order, as an array of numbers 0..255; of a tensor in memory not copied."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy() if flat.numel() else np.zeros(0, np.uint8)


def state_bytes(module: nn.Module) -> int:
    """How many bytes all tensors of the module are, those counted once that share their memory."""
    return sum({t.data_ptr(): t.numel() * t.element_size() for t in state(module).values()}.values())


def own_copy(module: nn.Module) -> nn.Module:
    """A copy that shares the parameters, and has its own buffers and everything else that a call may change."""
    return copy.deepcopy(module, {id(parameter): parameter for parameter in module.parameters()})
