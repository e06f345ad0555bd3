"""PyTorch's two ways of attention: the fused one that eval mode takes, and the plain one that a file follows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import nn

from zoo.task import Signature
from zoo_export.ports import Array, call

DISAGREE = 1e-3
"""Relative difference above which two eager paths of PyTorch do not compute the same function."""


def attention_traps(module: nn.Module, signature: Signature, example: Mapping[str, Array]) -> tuple[str, ...]:
    """A sentence where the fused and the plain attention of PyTorch disagree on this model; else nothing."""
    if not any(isinstance(part, (nn.MultiheadAttention, nn.TransformerEncoderLayer)) for part in module.modules()):
        return ()
    with slow_attention():
        slow = call(module, example, signature)
    fast = call(module, example, signature)
    apart = [
        name
        for name, value in slow.items()
        if np.issubdtype(value.dtype, np.floating)
        and not np.allclose(value, fast[name], rtol=0, atol=DISAGREE * float(np.abs(value).max() or 1.0))
    ]
    if not apart:
        return ()
    return (
        f"PyTorch's attention fast path, which eval mode takes, and its plain path, which the file follows, give "
        f"different {', '.join(apart)}: build the encoder with enable_nested_tensor=False",
    )


@contextlib.contextmanager
def slow_attention() -> Iterator[None]:
    """PyTorch's plain attention: the fused fast path of eval mode is not what the exporter captures."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
