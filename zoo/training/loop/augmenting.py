"""Random changes of a training batch: a published policy for each picture, then the task's augmentation.  [torch]"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from zoo.api.recipe import Recipe
from zoo.training.loop.split_metrics import NO_AUGMENT

if TYPE_CHECKING:
    from zoo.api.parts import Task
    from zoo.api.task import Batch


def augmented(batch: Batch, task: Task, recipe: Recipe, generator: torch.Generator) -> Batch:
    """The batch as the recipe changes it; everything is drawn from generators that were seeded for this step."""
    if recipe.augment_policy != "none":
        change = policy(recipe.augment_policy)
        batch = {**batch, "image": torch.stack([change(image) for image in batch["image"]])}
    if recipe.augment != NO_AUGMENT:
        batch = task.tensors.augment(batch, recipe.augment, generator)
    return batch


@cache
def policy(name: str) -> Callable[[Tensor], Tensor]:
    """A policy of torchvision, for one picture uint8 [channels, height, width]; it draws from PyTorch's generator."""
    from torchvision.transforms import v2  # noqa: PLC0415  only who asks for a policy pays for it

    kinds: dict[str, Any] = {
        "randaugment": v2.RandAugment,
        "trivialaugment": v2.TrivialAugmentWide,
        "autoaugment": v2.AutoAugment,
        "augmix": v2.AugMix,
    }
    return cast("Callable[[Tensor], Tensor]", kinds[name]())


def mixed(images: Tensor, label: Tensor, recipe: Recipe, *, classes: int) -> tuple[Tensor, Tensor]:
    """Pictures [n, c, h, w] and labels mixed in pairs; mixed labels are shares, float32 [n, classes]."""
    kinds = [name for name in ("mixup", "cutmix") if getattr(recipe, name)]
    if not kinds:
        return images, label
    chosen = kinds[int(torch.randint(len(kinds), ()))] if len(kinds) > 1 else kinds[0]
    return cast("tuple[Tensor, Tensor]", _mixer(chosen, getattr(recipe, chosen), classes)(images, label))


@cache
def _mixer(name: str, alpha: float, classes: int) -> Any:
    from torchvision.transforms import v2  # noqa: PLC0415  only who mixes pays for it

    return {"mixup": v2.MixUp, "cutmix": v2.CutMix}[name](alpha=alpha, num_classes=classes)
