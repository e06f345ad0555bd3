"""The multiply-adds and activations of a network, counted without memory.  [torch]"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

COUNTED: Final = ("convolution", "addmm", "mm", "bmm", "baddbmm")
"""The operators whose outputs are activations, as in timm's own tables: those of convolutions and products."""


class _Activations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the numbers that convolutions and products give."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        if func.overloadpacket.__name__ in COUNTED and isinstance(output, Tensor):
            self.count += output.numel()
        return output


def complexity(model: nn.Module, size: tuple[int, ...]) -> dict[str, float]:
    """gmacs and macts of one picture of 3 channels and this height and width; `model` has its tensors on "meta"."""
    flops, activations = FlopCounterMode(display=False), _Activations()
    with torch.no_grad(), flops, activations:
        model.eval()(torch.zeros(1, 3, *size, device="meta"))
    return {"gmacs": round(flops.get_total_flops() / 2e9, 2), "macts": round(activations.count / 1e6, 2)}
