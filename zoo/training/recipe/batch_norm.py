"""Batch normalisation in a training: how fast its statistics follow, and batches that are too small for it.  [torch]"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from zoo.runs.train_config import TrainConfig


def raise_momentum(model: nn.Module, least: float | None) -> None:
    """Give every layer of batch normalisation at least this momentum; one that averages all batches keeps doing so."""
    for layer in _layers(model):
        if least is not None and layer.momentum is not None:
            layer.momentum = max(layer.momentum, least)


def without_idle_choice(config: TrainConfig, model: nn.Module) -> TrainConfig:
    """The config without the choice of a momentum that no layer of the built model has taken."""
    chosen = config.recipe.batchnorm_momentum
    if chosen is None or any(layer.momentum == chosen for layer in _layers(model)):
        return config
    return replace(config, choices=tuple(choice for choice in config.choices if choice.name != "batchnorm_momentum"))


def _layers(model: nn.Module) -> Iterator[_BatchNorm]:
    return (part for part in model.modules() if isinstance(part, _BatchNorm))
