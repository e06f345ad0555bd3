"""Random networks in which rounding grows from layer to layer, and biases with which it does not.

A deep network of convolutions, batch norms and activations is chaotic at random weights: the difference of two nearly
equal inputs grows with every layer (Poole et al., 2016, arXiv:1606.05340), and so does rounding.  In Inception v4 it
reaches 3e-4 of the logits, and nothing can be told right from wrong.  Norms whose biases are one higher keep most units
in the linear part of the activation: there it is 1e-6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from zoo.api.task import Signature
from zoo.models.outputs import Array, call

STEP: Final = 1e-4
"""How much the numbers of an input are moved by, relative to themselves: far more than rounding does."""
MAX_GROWTH: Final = 50.0
"""How many times as far a norm's outputs may move.  Rounding is then about 1e-5 of them."""
RAISED: Final = 1.0
NORMS: Final = (nn.modules.batchnorm._BatchNorm,)


def keep_rounding_small(
    module: nn.Module, inputs: Mapping[str, Array], signature: Signature, *, calibrate: Callable[[], int]
) -> int:
    """Raise the biases of all batch norms where rounding grows too much and less so then; how many were raised.

    `calibrate` measures the statistics of the norms anew.
    """
    norms = [part for part in module.modules() if isinstance(part, NORMS) and part.bias is not None]
    before = growth(module, inputs, signature)
    if before <= MAX_GROWTH:
        return 0
    biases = [norm.bias.detach().clone() for norm in norms]
    _set_biases(norms, [bias + RAISED for bias in biases])
    calibrate()
    if growth(module, inputs, signature) < before:
        return len(norms)
    _set_biases(norms, biases)
    calibrate()
    return 0


def growth(module: nn.Module, inputs: Mapping[str, Array], signature: Signature) -> float:
    """The largest relative change of a batch norm's outputs, divided by that of the input; 0 for tokens."""
    if not any(np.issubdtype(value.dtype, np.floating) for value in inputs.values()):
        return 0.0
    generator = np.random.default_rng(0)
    moved = {
        name: (value * (1 + STEP * generator.standard_normal(value.shape))).astype(value.dtype)
        if np.issubdtype(value.dtype, np.floating)
        else value
        for name, value in inputs.items()
    }
    plain, other = (_outputs_of_norms(module, each, signature) for each in (inputs, moved))
    sizes = [
        float((a - b).square().mean().sqrt() / a.square().mean().sqrt())
        for a, b in zip(plain, other, strict=False)  # a detector may run a part more often
        if a.shape == b.shape and a.numel() and bool(a.any())
    ]
    return max((size for size in sizes if np.isfinite(size)), default=0.0) / STEP


def _outputs_of_norms(module: nn.Module, inputs: Mapping[str, Array], signature: Signature) -> list[Tensor]:
    outputs: list[Tensor] = []
    norms = [part for part in module.modules() if isinstance(part, NORMS)]
    handles = [norm.register_forward_hook(lambda _, __, output: outputs.append(output.detach())) for norm in norms]
    try:
        call(module, inputs, signature)
    finally:
        for handle in handles:
            handle.remove()
    return outputs


def _set_biases(norms: Sequence[nn.modules.batchnorm._BatchNorm], biases: Sequence[Tensor]) -> None:
    with torch.no_grad():
        for norm, bias in zip(norms, biases, strict=True):
            norm.bias.copy_(bias)
