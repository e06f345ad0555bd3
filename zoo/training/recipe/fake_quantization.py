"""Training for 8 bits: convolutions and matrix products learn from what they read after rounding.  [torch]

Quantisation-aware training (Jacob et al., arXiv:1712.05877): each weight and each activation that a convolution or a
matrix product reads is rounded to the 256 steps that an int8 variant would give it; gradients pass the rounding as if
it were not there.  Weights are rounded per output channel and around zero, so that it does not matter that the export
folds the scale of a batch normalisation into them.  Ranges are those of the batch at hand: nothing is kept, and a
checkpoint is one of the plain model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from zoo.api.errors import UsageError

P = ParamSpec("P")
R = TypeVar("R")

LAST: Final = 2**7 - 1
"""The largest whole number of a weight; the smallest is -128, and not used."""
LEVELS: Final = 2**8 - 1


@dataclass(frozen=True, slots=True)
class Rounded:
    """Which arguments of a function are rounded, by their positions."""

    activations: tuple[int, ...]
    weights: Mapping[int, int] = field(default_factory=dict)
    """Of each weight the dimension of its output channels."""


_LINEAR, _TRANSPOSED, _PRODUCT = Rounded((0,), {1: 0}), Rounded((0,), {1: 1}), Rounded((0, 1))
ROUNDED: Final[Mapping[Any, Rounded]] = {
    **dict.fromkeys((torch.conv1d, torch.conv2d, torch.conv3d, functional.linear), _LINEAR),
    **dict.fromkeys((torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d), _TRANSPOSED),
    **dict.fromkeys((torch.matmul, torch.bmm, Tensor.matmul, Tensor.bmm, Tensor.__matmul__), _PRODUCT),
    functional.multi_head_attention_forward: Rounded((0, 1, 2), {5: 0, 11: 0}),
}
"""What is rounded inside a function that calls others is not seen: an attention is rounded where it begins."""


def fake_quantized(step: Callable[P, R]) -> Callable[P, R]:
    """The same training step with rounded weights and activations; UsageError after one that rounds nothing."""
    mode = _Rounding()

    @wraps(step)
    def rounded(*args: P.args, **kwargs: P.kwargs) -> R:
        with mode:
            output = step(*args, **kwargs)
        if not mode.used:
            raise UsageError(
                "this model has no convolution, no linear layer and no matrix product that 8 bits could be learned for",
                hint="leave recipe.fake_quantize out",
            )
        return output

    return rounded


class _Rounding(TorchFunctionMode):
    """Rounds what convolutions and matrix products read."""

    def __init__(self) -> None:
        super().__init__()
        self.used = False

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        rounded = ROUNDED.get(func)
        if rounded is None:
            return func(*args, **(kwargs or {}))
        self.used = True
        values = list(args)
        for index in rounded.activations:
            values[index] = round_activation(values[index])
        for index, channel in rounded.weights.items():
            if values[index] is not None:  # an attention may have three weights in the place of one
                values[index] = round_weight(values[index], channel)
        return func(*values, **(kwargs or {}))


def round_activation(values: Tensor) -> Tensor:
    """Rounded to 256 steps from its smallest to its largest element, zero among them; integers stay."""
    if not values.is_floating_point() or values.numel() == 0:
        return values
    low, high = values.detach().aminmax()
    low, high = low.clamp(max=0), high.clamp(min=0)
    scale = ((high - low) / LEVELS).float().clamp(min=torch.finfo(torch.float32).tiny)
    zero = (-low.float() / scale).round().to(torch.int32)
    rounded = torch.fake_quantize_per_tensor_affine(values.float(), scale, zero, 0, LEVELS)
    return rounded.to(values.dtype)


def round_weight(values: Tensor, channel: int) -> Tensor:
    """Each output channel rounded to 255 steps around zero."""
    others = [dim for dim in range(values.dim()) if dim != channel]
    largest = values.detach().abs().amax(others) if others else values.detach().abs()
    scale = (largest.float() / LAST).clamp(min=torch.finfo(torch.float32).tiny)
    zero = torch.zeros_like(scale, dtype=torch.int32)
    rounded = torch.fake_quantize_per_channel_affine(values.float(), scale, zero, channel, -LAST, LAST)
    return rounded.to(values.dtype)
