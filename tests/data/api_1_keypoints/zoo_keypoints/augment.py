"""Pictures and points moved, zoomed and turned together.  [torch]"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from zoo import Augment, Batch, UsageError


def augment(batch: Batch, change: Augment, generator: torch.Generator) -> Batch:
    """The batch with `image` and `points` changed, each picture by a draw of its own; the edge fills what moves in."""
    if change.flip or change.color:
        raise UsageError(
            "keypoints are not mirrored (left and right have names) and not coloured",
            hint="--set recipe.augment.flip=false --set recipe.augment.color=0",
        )
    if not (change.shift or change.scale or change.rotate):
        return batch
    turn, move = _drawn(len(batch["image"]), change, generator)
    # the grid says for every new place where it was: 2 * point - 1 of the old is turn @ new + move
    grid = F.affine_grid(torch.cat([turn, move.unsqueeze(2)], 2), list(batch["image"].shape), align_corners=False)
    image = F.grid_sample(batch["image"].float(), grid, padding_mode="border", align_corners=False)
    old = 2 * batch["points"] - 1 - move.unsqueeze(1)
    points = (old @ torch.linalg.inv(turn).transpose(1, 2) + 1) / 2
    return {**batch, "image": image.round().to(torch.uint8), "points": points}


def _drawn(count: int, change: Augment, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Matrices [n, 2, 2] and moves [n, 2] in the coordinates of a picture from -1 to 1."""
    angle, zoom, across, down = 2 * torch.rand(4, count, generator=generator, device=generator.device) - 1
    angle = angle * math.radians(change.rotate)
    zoom = torch.exp(zoom * math.log1p(change.scale))
    rows = (torch.stack([angle.cos(), -angle.sin()], 1), torch.stack([angle.sin(), angle.cos()], 1))
    return torch.stack(rows, 1) * zoom[:, None, None], 2 * change.shift * torch.stack([across, down], 1)
