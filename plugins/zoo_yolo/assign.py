"""Which cell learns which object: task-aligned assignment (Feng et al. 2021, TOOD, arXiv:2108.07755).

An object is learnt by the cells whose class score and box already fit it best.  A cell may claim an object when its
centre lies in the box or near the box's centre, so that an object thinner than a stride is never left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

CENTRE_RADIUS: Final = 1.5
"""In strides: how far from an object's centre a cell outside its box may still claim it."""
MAX_CELLS_PER_OBJECT: Final = 10
SCORE_POWER: Final = 1.0
OVERLAP_POWER: Final = 6.0
"""A cell's alignment is score ** 1 times overlap ** 6, as in the paper."""
EPSILON: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Assignment:
    """What each cell of a batch should answer."""

    chosen: Tensor
    """bool [n, cells]: this cell learns an object."""
    boxes: Tensor
    """float32 [n, cells, 4]: the object's box in pixels; meaningless where not chosen."""
    scores: Tensor
    """float32 [n, cells, classes]: the soft label, zero where not chosen."""


@torch.no_grad()
def assign(
    *,
    boxes: Tensor,
    scores: Tensor,
    centres: Tensor,
    strides: Tensor,
    true_boxes: Tensor,
    true_labels: Tensor,
    present: Tensor,
) -> Assignment:
    """The assignment for predicted boxes [n, cells, 4] and scores [n, cells, classes] in 0..1.

    The truth is padded: true_boxes [n, objects, 4], true_labels int64 [n, objects], present bool [n, objects].
    """
    overlap = pairwise_iou(true_boxes, boxes)
    class_scores = scores.transpose(1, 2).gather(1, true_labels[..., None].expand(-1, -1, scores.shape[1]))
    allowed = _allowed(true_boxes, centres, strides) & present[..., None]
    alignment = (class_scores**SCORE_POWER * overlap**OVERLAP_POWER + EPSILON) * allowed
    best = alignment.topk(min(MAX_CELLS_PER_OBJECT, alignment.shape[-1]), dim=-1).indices
    claims = torch.zeros_like(allowed).scatter_(-1, best, True) & allowed

    # a cell that several objects claim learns the one it overlaps most
    owner = torch.where(claims, overlap, -1.0).argmax(1)
    chosen = claims.any(1)
    owned = torch.zeros_like(claims).scatter_(1, owner[:, None], True) & claims

    # soft labels: an object's best cell gets its overlap, the others a share of it
    alignment = alignment * owned
    highest = alignment.amax(-1, keepdim=True).clamp(min=EPSILON)
    weight = (alignment / highest * (overlap * owned).amax(-1, keepdim=True)).amax(1)
    labels = true_labels.gather(1, owner)
    soft = torch.zeros_like(scores).scatter_(-1, labels[..., None], (weight * chosen)[..., None])
    return Assignment(chosen, true_boxes.gather(1, owner[..., None].expand(-1, -1, 4)), soft)


def _allowed(true_boxes: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """bool [n, objects, cells]: the cell's centre is in the box, or near its centre."""
    low, high = true_boxes[:, :, None, :2], true_boxes[:, :, None, 2:]
    inside = ((centres > low) & (centres < high)).all(-1)
    near = ((centres - (low + high) / 2).abs() < CENTRE_RADIUS * strides).all(-1)
    return inside | near


def pairwise_iou(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union of boxes [n, a, 4] and [n, b, 4] -> [n, a, b]."""
    low = torch.maximum(first[:, :, None, :2], second[:, None, :, :2])
    high = torch.minimum(first[:, :, None, 2:], second[:, None, :, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    area = (first[..., 2:] - first[..., :2]).prod(-1)[:, :, None]
    other = (second[..., 2:] - second[..., :2]).prod(-1)[:, None]
    return shared / (area + other - shared).clamp(min=EPSILON)
