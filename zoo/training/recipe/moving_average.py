"""A moving average of a module's weights: what is evaluated and saved when the recipe asks for one."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

from zoo.models.weights.load import load_state


class MovingAverage:
    """The exponential moving average of a module's parameters and buffers (Polyak and Juditsky, 1992).

    The decay of update n is min(decay, (1 + n) / (10 + n)), so that the random initial values soon lose their weight.
    """

    def __init__(self, module: nn.Module, *, decay: float) -> None:
        self.module = deepcopy(module).eval().requires_grad_(False)
        self.decay = decay
        self.updates = 0
        pairs = list(zip(_tensors(self.module), _tensors(module), strict=True))
        self._averages = [average for average, _ in pairs if average.is_floating_point()]
        self._sources = [source for _, source in pairs if source.is_floating_point()]
        self._copied = [(average, source) for average, source in pairs if not average.is_floating_point()]

    def update(self) -> None:
        """Add the module's present values to the average."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self._averages, self._sources, 1 - decay)

    def averaged(self) -> nn.Module:
        """The averaged module; integer buffers, which cannot be averaged, are copied now."""
        for average, source in self._copied:
            average.copy_(source)
        return self.module

    def load(self, state: dict[str, Tensor], updates: int) -> None:
        """Load a saved average and the number of its updates."""
        load_state(self.module, state, origin="the moving average")
        self.updates = updates


def _tensors(module: nn.Module) -> list[Tensor]:
    """Parameters and buffers; tied ones once."""
    return [tensor.detach() for tensor in (*module.parameters(), *module.buffers())]
