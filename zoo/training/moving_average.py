"""A moving average of a module's weights: what is evaluated and saved when the recipe asks for one."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

from zoo.models.weights.load import load_state


class MovingAverage:
    """A copy of a module whose parameters and statistics follow it with a decay (Polyak and Juditsky, 1992).

    The decay of update n is min(decay, (1 + n) / (10 + n)), so that the random start is soon forgotten.
    """

    def __init__(self, module: nn.Module, *, decay: float) -> None:
        self.module = deepcopy(module).eval().requires_grad_(False)
        self.decay = decay
        self.updates = 0
        pairs = list(zip(_tensors(self.module), _tensors(module), strict=True))
        self._averages = [ours for ours, _ in pairs if ours.is_floating_point()]
        self._sources = [theirs for _, theirs in pairs if theirs.is_floating_point()]
        self._copied = [(ours, theirs) for ours, theirs in pairs if not ours.is_floating_point()]

    def update(self) -> None:
        """Take one step towards the module."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self._averages, self._sources, 1 - decay)

    def settle(self) -> nn.Module:
        """The averaged module, with the counters that cannot be averaged."""
        for ours, theirs in self._copied:
            ours.copy_(theirs)
        return self.module

    def load(self, state: dict[str, Tensor], updates: int) -> None:
        """Put back what was saved."""
        load_state(self.module, state, origin="the moving average")
        self.updates = updates


def _tensors(module: nn.Module) -> list[Tensor]:
    """Parameters and buffers, tied ones once."""
    return [tensor.detach() for tensor in (*module.parameters(), *module.buffers())]
