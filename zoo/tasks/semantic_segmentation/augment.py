"""Random changes to a batch of pictures and to their masks together.  [torch]"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from zoo.api.recipe import Augment
from zoo.data.formats.masks.masks import IGNORE_INDEX
from zoo.data.image.augment import augment as augment_pictures
from zoo.data.image.augment import warp_grid

if TYPE_CHECKING:
    from zoo.api.task import Batch


def augment(batch: Batch, change: Augment, generator: torch.Generator) -> Batch:
    """A changed copy: shifted, rotated, zoomed and mirrored with its mask, then coloured.

    What moves in is black in the picture and left open in the mask; the generator is on the device.
    """
    image, mask = batch["image"], batch["mask"]
    if change.scale or change.shift or change.rotate or change.flip:
        image, mask = _warp(image, mask, change, generator)
    if change.color:
        image = augment_pictures(image, replace(Augment(), color=change.color), generator)
    return {**batch, "image": image, "mask": mask}


def _warp(image: Tensor, mask: Tensor, change: Augment, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Both resampled by the same grid: levels bilinear, classes from the nearest pixel."""
    grid = warp_grid(image, change, generator)
    moved = F.grid_sample(image.float(), grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    # classes are raised by one, so that zero padding differs from class 0
    classes = F.grid_sample(mask[:, None].float() + 1, grid, mode="nearest", padding_mode="zeros", align_corners=False)[
        :, 0
    ]
    open_ = torch.where(classes == 0, float(IGNORE_INDEX), classes - 1)
    return moved.round_().to(torch.uint8), open_.to(torch.uint8)
