"""How timm's networks are trained: those with batch norms, and those without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from zoo import Augment, Recipe

_PHOTOS = Augment(shift=0.1, scale=0.2, flip=True, color=0.2)
_SCRATCH = Recipe(
    epochs=16,
    batch_size=64,
    lr=2e-3,
    schedule="onecycle",
    warmup=0.15,
    label_smoothing=0.1,
    ema=0.999,
    augment=_PHOTOS,
    items=300,
)
_FINETUNE = Recipe(
    epochs=15,
    batch_size=32,
    lr=1e-3,
    backbone_lr=0.1,
    schedule="cosine",
    warmup=0.1,
    label_smoothing=0.1,
    augment=_PHOTOS,
    items=300,
)
WITH_BATCH_NORM: Final[Mapping[str, Recipe]] = {"default": _SCRATCH, "finetune": _FINETUNE}
WITHOUT: Final[Mapping[str, Recipe]] = {
    "default": replace(_SCRATCH, lr=3e-4, weight_decay=0.05, warmup=0.25, clip=1.0),
    "finetune": replace(_FINETUNE, lr=3e-4, weight_decay=0.05, clip=1.0),
}
"""A lower rate, a longer warm-up and clipped gradients."""


def recipes(*, batch_norm: bool) -> Mapping[str, Recipe]:
    """The recipes of a network, by name."""
    return WITH_BATCH_NORM if batch_norm else WITHOUT


def kind(*, attention: bool) -> str:
    """What its layers are, in a word."""
    return "a network with attention" if attention else "a network without attention"
