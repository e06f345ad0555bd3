"""All tensors of a module by name, and their digest."""

from __future__ import annotations

import copy
import hashlib

import torch
from torch import nn


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
        digest.update(tensor_bytes(tensor))
    return digest.hexdigest()


def tensor_bytes(tensor: torch.Tensor) -> bytes:
    """The bytes of its elements, in order."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def own_copy(module: nn.Module) -> nn.Module:
    """A copy that shares the parameters, and has its own buffers and everything else that a call may change."""
    return copy.deepcopy(module, {id(parameter): parameter for parameter in module.parameters()})
