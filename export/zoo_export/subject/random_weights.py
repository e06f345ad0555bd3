"""Random weights for an architecture that nobody trained, such that every output depends on every part of it.

Fresh networks often have parts that change nothing: a head of zeros, layer scales of 1e-6, statistics that no data ever
shaped.  Any mutant of such a network gives the same outputs, so nothing could be proved about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final, Protocol, runtime_checkable

import numpy as np
import torch
from torch import nn

from zoo.api.data import counted
from zoo.api.task import Signature
from zoo.models.outputs import Array, arguments, call
from zoo_export.subject.batching import batch_name, batches, join
from zoo_export.subject.rounding_growth import NORMS, RAISED, keep_rounding_small

MAX_SILENT_VALUE = 1e-3
"""A parameter that is one constant up to this size changes nothing after it."""
SPREAD = 0.02
BIAS = 0.1
DEAD_SHARE = 1e-2
"""Outputs that differ between inputs by no more than this share of their largest value are dead: a weight that is a
thousandth too large would be lost in the rounding."""
COMPARED = 4
"""So many inputs are compared: one of them may be blank."""
LARGEST_BATCH: Final = 16
MAX_BATCH_ELEMENTS: Final = 1_300_000
"""Numbers that batch norms are measured on at once: eight pictures of 224 pixels, two of 512."""
_ALL_NORMS = (*NORMS, nn.LayerNorm, nn.GroupNorm)
_SCALED = (nn.Linear, nn.modules.conv._ConvNd)


@runtime_checkable
class NeedsInitialisation(Protocol):
    """An adapter whose fresh module answers nothing: a detector's scores, say, are all below the threshold."""

    def initialise(self, *inputs: torch.Tensor) -> str:
        """Change parameters in place until these inputs of the model are answered, and say what was done."""


def randomise(module: nn.Module, inputs: Sequence[Mapping[str, Array]], signature: Signature, *, seed: int) -> str:
    """Randomise constant parameters in place, and say what was done; the same seed does the same."""
    generator = torch.Generator().manual_seed(seed)
    drawn = 0
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            drawn += _randomise_constant(name, parameter, generator)
        norms = _calibrate(module, inputs, signature)
        calibrate = partial(_calibrate, module, inputs, signature)
        raised = keep_rounding_small(module, inputs[0], signature, calibrate=calibrate) if norms else 0
        if isinstance(module, NeedsInitialisation):
            own = [module.initialise(*arguments(inputs[0], signature))]
        elif _is_dead(module, inputs[:COMPARED], signature):
            own = [f"{_scale_by_inputs(module)} weights scaled to one over the root of their inputs"]
            norms = _calibrate(module, inputs, signature)
        else:
            own = []
    parts = [f"{drawn} constant parameters drawn anew"] if drawn else []
    parts += [f"statistics of {norms} batch norms measured on {counted(len(inputs), 'input')}"] if norms else []
    parts += [f"biases of {raised} batch norms {RAISED:g} higher, so that rounding stays small"] if raised else []
    parts += own
    return f"random weights (seed {seed}{''.join('; ' + part for part in parts)})"


def _randomise_constant(name: str, parameter: nn.Parameter, generator: torch.Generator) -> bool:
    """Vary a parameter that is one constant; True when it was so small that it changed nothing."""
    if not parameter.is_floating_point() or parameter.numel() == 0:
        return False
    first = parameter.flatten()[0]
    if not bool((parameter == first).all()):
        return False
    drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float32).to(parameter.dtype)
    silent = abs(float(first)) <= MAX_SILENT_VALUE
    if name.rsplit(".", 1)[-1].startswith("bias"):
        parameter.copy_(first + BIAS * drawn)
    elif silent and parameter.dim() >= 2 and min(parameter.shape) > 1:
        parameter.copy_(SPREAD * drawn)
    else:  # scales: of norms, of layers
        parameter.copy_((1.0 if silent else first) * (1.0 + BIAS * drawn))
    return silent


def _is_dead(module: nn.Module, inputs: Sequence[Mapping[str, Array]], signature: Signature) -> bool:
    """Whether every float output hardly differs between these inputs.

    Weights of 0.02, which many libraries begin with, let a narrow network forget its input before the last layer.
    """
    first, *others = (call(module, case, signature) for case in inputs)
    floats = [name for name, value in first.items() if np.issubdtype(value.dtype, np.floating)]
    if not floats or not others:
        return False
    return all(
        answer[name].shape == first[name].shape
        and np.abs(answer[name] - first[name]).max(initial=0.0) <= DEAD_SHARE * np.abs(first[name]).max(initial=0.0)
        for name in floats
        for answer in others
    )


def _scale_by_inputs(module: nn.Module) -> int:
    """Give the weights of every layer that has several a deviation of one over the root of its inputs; how many.

    The scales of norms get the root mean square one.
    """
    for part in module.modules():
        if isinstance(part, _ALL_NORMS) and part.weight is not None:
            part.weight.div_(part.weight.square().mean().sqrt() + torch.finfo(part.weight.dtype).tiny)
    weights = [part.weight for part in module.modules() if isinstance(part, _SCALED) and part.weight[0].numel() > 1]
    for weight in weights:
        weight.div_(weight.std() * weight[0].numel() ** 0.5 + torch.finfo(weight.dtype).tiny)
    return len(weights)


def _parts(inputs: Sequence[Mapping[str, Array]], signature: Signature) -> Iterator[list[int]]:
    """The indices of inputs that go through together, in parts of nearly equal size that memory allows.

    A norm needs two inputs where it has one value for each of them.
    """
    for indices in batches(inputs, signature, largest=len(inputs)):
        size = sum(value.size for value in inputs[indices[0]].values())
        largest = max(2, min(LARGEST_BATCH, MAX_BATCH_ELEMENTS // max(size, 1)))
        yield from (part.tolist() for part in np.array_split(indices, -(-len(indices) // largest)))


def _calibrate(module: nn.Module, inputs: Sequence[Mapping[str, Array]], signature: Signature) -> int:
    """Set the statistics of every batch norm to those of the inputs; how many there are.

    Without a batch axis inputs go through one by one, and a norm that is given a single value has no statistics: then
    all norms stay as they were.
    """
    norms = [part for part in module.modules() if isinstance(part, NORMS) and part.track_running_stats]
    if not norms:
        return 0
    before = [(norm, norm.momentum) for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain average
        norm.train()
    measured = len(norms)
    try:
        for indices in _parts(inputs, signature):
            module(*arguments(join([inputs[index] for index in indices], signature.inputs), signature))
    except ValueError:
        if batch_name(signature) is not None:
            raise
        measured = 0
    for norm, momentum in before:
        if not measured:
            norm.reset_running_stats()
        norm.momentum = momentum
        norm.eval()
    return measured
