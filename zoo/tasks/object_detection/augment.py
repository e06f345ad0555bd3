"""Random changes to a batch of pictures and to the boxes in them.  [torch]"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from zoo.api.errors import UsageError
from zoo.api.recipe import Augment
from zoo.data.image.augment import augment as augment_pictures

if TYPE_CHECKING:
    from zoo.api.task import Batch

BOXES: Final = (("boxes", "labels"), ("ignored", "ignored_labels"))
"""What moves with a picture: frames, and their classes."""
MIN_SHARE_INSIDE: Final = 0.5
"""A box of which less than this share stays in the picture is dropped."""


def augment(batch: Batch, change: Augment, generator: torch.Generator) -> Batch:
    """A changed copy: zoomed, shifted and mirrored with their boxes, then coloured; the generator is on the device.

    The boxes that are ignored, where a batch has any, move with the others.
    """
    if change.rotate:
        raise UsageError("pictures with boxes are not rotated", hint="set recipe.augment.rotate to 0")
    changed = _warp(batch, change, generator) if change.scale or change.shift or change.flip else batch
    if not change.color:
        return {**changed}
    return {**changed, "image": augment_pictures(changed["image"], replace(Augment(), color=change.color), generator)}


def _warp(batch: Batch, change: Augment, generator: torch.Generator) -> Batch:
    image: Tensor = batch["image"]
    count, _, height, width = image.shape
    zoom = torch.exp(_uniform(count, generator) * math.log1p(change.scale))
    mirror = torch.where(_uniform(count, generator) < 0, -1.0, 1.0) if change.flip else torch.ones_like(zoom)
    shift = torch.stack([_uniform(count, generator), _uniform(count, generator)], dim=1) * change.shift
    factor = torch.stack([mirror * zoom, zoom], dim=1)
    # the sampling grid of the result, in -1..1 from the middle
    grid = F.affine_grid(
        torch.cat([torch.diag_embed(1 / factor), (-2 * shift / factor)[:, :, None]], dim=2),
        list(image.shape),
        align_corners=False,
    )
    moved = F.grid_sample(image.float(), grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    sides = torch.tensor([width, height], device=image.device)
    result = {**batch, "image": moved.round_().to(torch.uint8)}
    for boxes, labels in BOXES:
        if boxes in batch:
            pairs = zip(batch[boxes], batch[labels], factor * 1.0, (shift + 0.5) * sides, strict=True)
            changed = [_move(*pair, sides) for pair in pairs]
            result[boxes], result[labels] = [corners for corners, _ in changed], [names for _, names in changed]
    return result


def _move(boxes: Tensor, labels: Tensor, times: Tensor, middle: Tensor, sides: Tensor) -> tuple[Tensor, Tensor]:
    corners = (boxes.reshape(-1, 2, 2) - sides / 2) * times + middle
    low, high = corners.amin(1), corners.amax(1)
    cut_low, cut_high = low.clamp(min=0), torch.minimum(high, sides.to(high.dtype))
    kept = (cut_high - cut_low).clamp(min=0).prod(1) >= MIN_SHARE_INSIDE * (high - low).prod(1)
    return torch.cat([cut_low, cut_high], dim=1)[kept], labels[kept]


def _uniform(count: int, generator: torch.Generator) -> Tensor:
    """float32 [count] in [-1, 1)."""
    return torch.rand(count, generator=generator, device=generator.device) * 2 - 1
