"""Builds the optimiser that a recipe describes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import torch
from torch import nn
from torch.optim import Optimizer

from zoo.api.recipe import Recipe

FUSED: Final = ("cpu", "cuda")
"""Devices with fused optimisers for every kind of optimiser in a recipe."""


def build_optimizer(module: nn.Module, recipe: Recipe, *, head: tuple[str, ...] = ()) -> Optimizer:
    """An optimiser over the trainable parameters of a module.

    Weight decay applies only to parameters of two or more dimensions, so not to biases and normalisation.
    `head` holds name prefixes: where it is given, all other parameters learn at `recipe.backbone_lr` times the rate.
    With `recipe.layer_decay` below 1 each layer learns at so many times the rate of the next one; see `layer_names`
    (Clark et al., arXiv:2003.10555).

    Args:
        module: Its trainable parameters are optimised.
        recipe: Optimiser, rate, weight decay, momentum, layer decay.
        head: Prefixes of the names of parameters that learn at the full rate.

    Returns:
        An optimiser of PyTorch with the rates and decays set; no schedule.

    Examples:
        >>> layer = torch.nn.Linear(4, 2)
        >>> optimizer = zoo.build_optimizer(layer, zoo.Recipe(optimizer="sgd", lr=0.1))
        >>> sorted(group["lr"] for group in optimizer.param_groups)
        [0.1, 0.1]
    """
    depths = _depths(module, head) if recipe.layer_decay < 1 else {}
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            factor = recipe.backbone_lr if head and not name.startswith(head) else 1.0
            factor *= recipe.layer_decay ** depths.get(name, 0)
            groups.setdefault((factor, parameter.ndim >= 2), []).append(parameter)
    if not groups:
        raise ValueError("there is nothing to train: every parameter is frozen")
    settings: list[dict[str, Any]] = [
        {
            "params": parameters,
            "weight_decay": recipe.weight_decay if decays else 0.0,
            "factor": factor,
        }
        for (factor, decays), parameters in groups.items()
    ]
    fused = all(_fusible(parameter) for parameters in groups.values() for parameter in parameters)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            settings, lr=recipe.lr, momentum=recipe.momentum, nesterov=recipe.momentum > 0, fused=fused
        )
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return kind(settings, lr=recipe.lr, betas=recipe.betas, fused=fused)


def layer_names(names: Iterable[str]) -> dict[str, str]:
    """The layer of each parameter: its name up to the first number, else to the first dot.

    layer1.0.conv1.weight is of layer1.0, blocks.3.norm.bias of blocks.3, conv1.weight of conv1, and
    encoder.layers.encoder_layer_3.ln_1.weight of encoder.layers.encoder_layer_3.
    """
    layers = {}
    for name in names:
        parts = name.split(".")[:-1]
        number = next((index for index, part in enumerate(parts) if part.rpartition("_")[2].isdecimal()), 0)
        layers[name] = ".".join(parts[: number + 1])
    return layers


def _depths(module: nn.Module, head: tuple[str, ...]) -> dict[str, int]:
    """How many layers come after that of each parameter, in the order in which the module declares them; 0 of a head.

    A layer that is normalisation alone belongs to the one before it.
    """
    layers = layer_names(name for name, _ in module.named_parameters())
    weighted = {layers[name] for name, parameter in module.named_parameters() if parameter.ndim >= 2}
    order: list[str] = []
    place: dict[str, int] = {}
    for name, layer in layers.items():
        if head and name.startswith(head):
            continue
        if layer not in place:
            if layer in weighted or not order:
                order.append(layer)
            place[layer] = len(order) - 1
    behind = len(order) if head else len(order) - 1
    return {name: behind - place[layer] for name, layer in layers.items() if layer in place}


def _fusible(parameter: nn.Parameter) -> bool:
    """Whether one kernel updates a whole parameter: of AdamW, a quarter to a third of the CPU time of a step."""
    return parameter.is_floating_point() and parameter.device.type in FUSED
