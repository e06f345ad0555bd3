"""The arithmetics in which PyTorch itself computes a module: double precision, other kernels, another memory layout."""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from zoo.api.task import Signature
from zoo.bundle.judge.evidence import Reference
from zoo.models.outputs import Array, call
from zoo_export.capture.capture_settings import slow_attention
from zoo_export.subject.results import Outputs

DISAGREE = 1e-3
"""Relative difference above which two backends of PyTorch do not compute the same function."""
DEFAULT, NO_ONEDNN, CHANNELS_LAST = "default", "no-onednn", "channels-last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """A module in every arithmetic that runs here."""

    signature: Signature
    module: nn.Module
    """In single precision, as the user has it."""
    double: nn.Module | None
    """None where double precision does not run; `facts.reason` says why."""
    channels_last: nn.Module | None
    """None for a module without convolutions."""
    facts: Reference

    def run_double(self, inputs: Mapping[str, Array]) -> Outputs | None:
        """The outputs in double precision; None where it does not run."""
        return None if self.double is None else call(self.double, inputs, self.signature, double=True)

    def run_single(self, backend: str, inputs: Mapping[str, Array]) -> Outputs:
        """The outputs of one of `facts.backends`."""
        if backend == NO_ONEDNN:
            with without_onednn():
                return call(self.module, inputs, self.signature)
        if backend == CHANNELS_LAST:
            assert self.channels_last is not None
            return call(ChannelsLast(self.channels_last), inputs, self.signature)
        return call(self.module, inputs, self.signature)


class ChannelsLast(nn.Module):
    """A module whose four-dimensional inputs have their channels as the fastest axis in memory."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: torch.Tensor) -> object:
        moved = (
            tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor for tensor in inputs
        )
        return self.module(*moved)


def backends_of(module: nn.Module, signature: Signature, example: Mapping[str, Array]) -> Backends:
    """The backends that run this module on this example; the module itself is left as it is."""
    double, reason = _in_double(module, signature, example)
    convolves = any(parameter.ndim == 4 for parameter in module.parameters())
    return Backends(
        signature=signature,
        module=module,
        double=double,
        channels_last=copy.deepcopy(module).to(memory_format=torch.channels_last) if convolves else None,
        facts=Reference(
            kind="spread" if reason else "fp64",
            backends=(DEFAULT, NO_ONEDNN, CHANNELS_LAST) if convolves else (DEFAULT, NO_ONEDNN),
            reason=reason,
            discrepancies=known_discrepancies(module, signature, example),
        ),
    )


def _in_double(module: nn.Module, signature: Signature, example: Mapping[str, Array]) -> tuple[nn.Module | None, str]:
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


def known_discrepancies(module: nn.Module, signature: Signature, example: Mapping[str, Array]) -> tuple[str, ...]:
    """A sentence per known discrepancy between paths of eager PyTorch that shows in this module."""
    if not any(isinstance(part, (nn.MultiheadAttention, nn.TransformerEncoderLayer)) for part in module.modules()):
        return ()
    with slow_attention():
        slow = call(module, example, signature)
    fast = call(module, example, signature)
    different = [
        name
        for name, value in slow.items()
        if np.issubdtype(value.dtype, np.floating)
        and not np.allclose(value, fast[name], rtol=0, atol=DISAGREE * float(np.abs(value).max() or 1.0))
    ]
    if not different:
        return ()
    return (
        f"PyTorch's attention fast path, which eval mode takes, and its plain path, which the file follows, give "
        f"different {', '.join(different)}: build the encoder with enable_nested_tensor=False",
    )


@contextlib.contextmanager
def without_onednn() -> Iterator[None]:
    """PyTorch's own kernels instead of oneDNN's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.backends.mkldnn.flags(enabled=False):
            yield
