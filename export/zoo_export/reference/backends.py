"""The ways in which PyTorch itself computes a module: double precision, other kernels, another layout of memory."""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import nn

from zoo.api.task import Signature
from zoo_export.capture.capture_settings import slow_attention
from zoo_export.subject.module_io import Array, call

DISAGREE = 1e-3
"""Relative difference above which two eager paths of PyTorch do not compute the same function."""


class ChannelsLast(nn.Module):
    """A module fed with pictures whose channels are the fastest axis in memory."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: torch.Tensor) -> object:
        moved = (one.contiguous(memory_format=torch.channels_last) if one.ndim == 4 else one for one in inputs)
        return self.module(*moved)


def in_double(module: nn.Module, signature: Signature, example: Mapping[str, Array]) -> tuple[nn.Module | None, str]:
    """A double-precision copy and "", or None and why there is none."""
    double = copy.deepcopy(module).double()
    try:
        outputs = call(double, example, signature, double=True)
    except (RuntimeError, TypeError) as error:
        return None, f"the model does not run in double precision: {error}".splitlines()[0]
    narrow = [n for n, v in outputs.items() if np.issubdtype(v.dtype, np.floating) and v.dtype != np.float64]
    if narrow:
        return None, f"the model gives {', '.join(narrow)} in single precision even when run in double"
    return double, ""


def traps(module: nn.Module, signature: Signature, example: Mapping[str, Array]) -> tuple[str, ...]:
    """Eager paths of PyTorch that disagree with each other on this model."""
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
def without_onednn() -> Iterator[None]:
    """PyTorch's own kernels instead of oneDNN's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.backends.mkldnn.flags(enabled=False):
            yield
