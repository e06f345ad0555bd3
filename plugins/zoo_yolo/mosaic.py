"""Four pictures in one: mosaic augmentation (Bochkovskiy et al. 2020, YOLOv4, arXiv:2004.10934)."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

MARGIN: Final = 0.3
"""The point where the four meet keeps this share of the side from every edge."""
MAX_SHARE_CUT: Final = 0.5
"""A box that loses more than this share of its area to the cut is dropped."""

Objects = tuple[Tensor, Tensor]
"""Boxes [k, 4] in pixels and labels [k]."""


def mosaic(
    images: Tensor, objects: list[Objects], *, share: float, generator: torch.Generator
) -> tuple[Tensor, list[Objects]]:
    """A changed copy of a batch [n, c, h, w] in which this share of the pictures are mosaics of four of them."""
    count = len(images)
    chosen = torch.rand(count, generator=generator, device=generator.device) < share
    partners = torch.randint(count, (count, 3), generator=generator, device=generator.device).tolist()
    spots = torch.empty(count, 2, device=generator.device).uniform_(MARGIN, 1 - MARGIN, generator=generator).tolist()
    out, changed = images.clone(), list(objects)
    for index in chosen.nonzero().flatten().tolist():
        parts = [index, *partners[index]]
        changed[index] = _compose(out[index], [(images[part], objects[part]) for part in parts], spots[index])
    return out, changed


def _compose(canvas: Tensor, parts: list[tuple[Tensor, Objects]], spot: list[float]) -> Objects:
    """Fill one canvas [c, h, w] in place with a part of each picture, and give the objects that remain."""
    height, width = canvas.shape[-2:]
    x, y = round(spot[0] * width), round(spot[1] * height)
    windows = ((0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height))
    boxes, labels = [], []
    for (image, (corners, names)), (left, top, right, bottom) in zip(parts, windows, strict=True):
        # each picture fills its own quarter with the same quarter of itself: nothing is scaled
        canvas[:, top:bottom, left:right] = image[:, top:bottom, left:right]
        limits = corners.new_tensor([left, top, right, bottom])
        cut = torch.cat([corners[:, :2].maximum(limits[:2]), corners[:, 2:].minimum(limits[2:])], dim=1)
        sides = (cut[:, 2:] - cut[:, :2]).clamp(min=0)
        left_over = sides.prod(1) >= (1 - MAX_SHARE_CUT) * (corners[:, 2:] - corners[:, :2]).prod(1)
        boxes.append(cut[left_over])
        labels.append(names[left_over])
    return torch.cat(boxes), torch.cat(labels)
