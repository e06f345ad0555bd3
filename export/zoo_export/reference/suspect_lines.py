"""The line of a model's code that treats a batch of two otherwise than one item, or unrolls an axis.

Both are told by running the module twice, at two sizes, operator by operator.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import torch
from torch import nn

from zoo.api.task import Port, Signature
from zoo.models.outputs import Array
from zoo_export.reference.call_sites import CallSite, OperatorCall, operator_calls
from zoo_export.subject.batching import batches, join
from zoo_export.subject.results import Outputs

TOLERANCE: Final = 1e-3
"""Relative difference of an item's values, alone and in company, that rounding does not explain."""
MAX_PAIRS: Final = 4


def mixing_site(module: nn.Module, inputs: Sequence[Outputs], signature: Signature) -> CallSite | None:
    """The first line at which an item's values depend on what else is in its batch; None where none is found."""
    for first, second in _pairs(inputs, signature):
        alone = operator_calls(module, first, signature)
        together = operator_calls(module, join([first, second], signature.inputs), signature)
        site = _first_mixed(alone, together)
        if site is not None:
            return site
    return None


def _pairs(inputs: Sequence[Outputs], signature: Signature) -> Iterator[tuple[Outputs, Outputs]]:
    pairs = [indices for indices in batches(inputs, signature, largest=2) if len(indices) == 2]
    for first, second in pairs[:MAX_PAIRS]:
        yield inputs[first], inputs[second]
        yield inputs[second], inputs[first]


def _first_mixed(alone: Sequence[OperatorCall], together: Sequence[OperatorCall]) -> CallSite | None:
    for own, joint in zip(alone, together, strict=False):
        if own.name != joint.name:
            return joint.site
        if any(not _alike(*tensors) for tensors in zip(own.outputs, joint.outputs, strict=False)):
            return joint.site
    return None


def _alike(alone: torch.Tensor, together: torch.Tensor) -> bool:
    """Whether the values of an item are also those that it has in a batch, at the beginning of each axis."""
    if alone.ndim != together.ndim or any(a > b for a, b in zip(alone.shape, together.shape, strict=True)):
        return False
    if alone.numel() and together.numel() % alone.numel():  # as many as the values of the batch happen to be
        return False
    part = together[tuple(slice(size) for size in alone.shape)]
    if not part.is_floating_point():
        return part.dtype in (torch.int32, torch.int64) or bool(torch.equal(part, alone))
    scale = float(alone.abs().max()) if alone.numel() else 0.0
    return bool(torch.allclose(part, alone, rtol=TOLERANCE, atol=TOLERANCE * scale, equal_nan=True))


def not_finite_site(module: nn.Module, inputs: Outputs, signature: Signature) -> CallSite | None:
    """The first line that gives infinities or NaN, where they reach the outputs; None where they do not."""
    calls = operator_calls(module, inputs, signature)
    if not calls or all(map(_is_finite, calls[-1].outputs)):
        return None
    return next((ran.site for ran in calls if not all(map(_is_finite, ran.outputs))), None)


def _is_finite(tensor: torch.Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())


def unrolling_site(module: nn.Module, inputs: Outputs, signature: Signature) -> CallSite | None:
    """The line that runs once per item of a batch, or per step of an axis; None where no line does."""
    axes = dict.fromkeys(size for port in signature.inputs for size in port.shape if isinstance(size, str))
    fewer = operator_calls(module, inputs, signature)
    for axis in axes:
        try:
            more = operator_calls(module, _longer(inputs, signature.inputs, axis), signature)
        except Exception:  # a size that the model does not take
            continue
        for short, long in zip(fewer, more, strict=False):
            if short.name != long.name:
                return long.site or short.site
        if len(more) > len(fewer):
            return more[len(fewer)].site
    return None


def _longer(inputs: Mapping[str, Array], ports: Sequence[Port], axis: str) -> dict[str, Array]:
    """The inputs with the last element of this axis there once more."""
    return {
        port.name: inputs[port.name].take([*range(size), size - 1], port.shape.index(axis))
        if axis in port.shape and (size := inputs[port.name].shape[port.shape.index(axis)])
        else inputs[port.name]
        for port in ports
    }
