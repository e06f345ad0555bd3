"""Builds the optimiser that a recipe describes."""

from __future__ import annotations

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
    """
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            backbone = bool(head) and not name.startswith(head)
            groups.setdefault((backbone, parameter.ndim >= 2), []).append(parameter)
    if not groups:
        raise ValueError("there is nothing to train: every parameter is frozen")
    settings: list[dict[str, Any]] = [
        {
            "params": parameters,
            "weight_decay": recipe.weight_decay if decays else 0.0,
            "factor": recipe.backbone_lr if backbone else 1.0,
        }
        for (backbone, decays), parameters in groups.items()
    ]
    fused = all(_fusible(parameter) for parameters in groups.values() for parameter in parameters)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            settings, lr=recipe.lr, momentum=recipe.momentum, nesterov=recipe.momentum > 0, fused=fused
        )
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return kind(settings, lr=recipe.lr, betas=recipe.betas, fused=fused)


def _fusible(parameter: nn.Parameter) -> bool:
    """Whether one kernel updates a whole parameter: of AdamW, a quarter to a third of the CPU time of a step."""
    return parameter.is_floating_point() and parameter.device.type in FUSED
