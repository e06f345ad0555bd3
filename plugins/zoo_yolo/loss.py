"""The loss of a YOLO: binary cross entropy on soft labels and the complete IoU of boxes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from zoo_yolo.assign import assign
from zoo_yolo.model import STRIDES, cells

EPSILON: Final = 1e-7


@dataclass(frozen=True, slots=True)
class DetectionLoss:
    """The two parts of the loss, each a scalar, already divided by the sum of the soft labels."""

    classes: Tensor
    boxes: Tensor


def at_least_one(count: Tensor) -> Tensor:
    """What a sum over so many soft labels is divided by."""
    return count.clamp(min=1.0)


def detection_loss(
    boxes: Tensor,
    logits: Tensor,
    objects: Sequence[tuple[Tensor, Tensor]],
    *,
    size: tuple[int, int],
    divisor: Callable[[Tensor], Tensor] = at_least_one,
) -> DetectionLoss:
    """The loss of predicted boxes [n, cells, 4] and logits [n, cells, classes] of pictures of this (height, width).

    `objects` has, per picture, boxes [k, 4] in pixels and labels int64 [k]; `divisor` is the context's in a training
    step.
    """
    boxes, logits = boxes.float(), logits.float()
    centres, strides = cells([(size[0] // stride, size[1] // stride) for stride in STRIDES], like=boxes)
    true_boxes, true_labels, present = _padded(objects, like=boxes)
    target = assign(
        boxes=boxes.detach(),
        scores=logits.detach().sigmoid(),
        centres=centres,
        strides=strides,
        true_boxes=true_boxes,
        true_labels=true_labels,
        present=present,
    )
    total = divisor(target.scores.sum())
    classes = F.binary_cross_entropy_with_logits(logits, target.scores, reduction="sum") / total
    weight = target.scores.sum(-1)[target.chosen]
    overlap = complete_iou(boxes[target.chosen], target.boxes[target.chosen])
    return DetectionLoss(classes, ((1.0 - overlap) * weight).sum() / total)


def _padded(objects: Sequence[tuple[Tensor, Tensor]], *, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes [n, most, 4], labels [n, most] and whether there is one [n, most]; `most` is at least one."""
    most = max(1, *(len(labels) for _, labels in objects))
    boxes = like.new_zeros(len(objects), most, 4)
    labels = torch.zeros(len(objects), most, dtype=torch.int64, device=like.device)
    present = torch.zeros(len(objects), most, dtype=torch.bool, device=like.device)
    for index, (corners, names) in enumerate(objects):
        boxes[index, : len(names)] = corners
        labels[index, : len(names)] = names
        present[index, : len(names)] = True
    return boxes, labels, present


def complete_iou(first: Tensor, second: Tensor) -> Tensor:
    """Overlap less the distance of the centres and the difference of the shapes (Zheng et al. 2020,
    arXiv:1911.08287), for boxes [k, 4] and [k, 4] -> [k]; one for equal boxes."""
    sides, others = first[:, 2:] - first[:, :2], second[:, 2:] - second[:, :2]
    shared = (torch.minimum(first[:, 2:], second[:, 2:]) - torch.maximum(first[:, :2], second[:, :2])).clamp(min=0)
    intersection = shared.prod(1)
    iou = intersection / (sides.prod(1) + others.prod(1) - intersection + EPSILON)
    frame = torch.maximum(first[:, 2:], second[:, 2:]) - torch.minimum(first[:, :2], second[:, :2])
    offset = (first[:, :2] + first[:, 2:] - second[:, :2] - second[:, 2:]) / 2
    distance = offset.square().sum(1) / (frame.square().sum(1) + EPSILON)
    turn = torch.atan(others[:, 0] / (others[:, 1] + EPSILON)) - torch.atan(sides[:, 0] / (sides[:, 1] + EPSILON))
    shape = 4 / math.pi**2 * turn.square()
    with torch.no_grad():
        share = shape / (1 - iou + shape + EPSILON)
    return iou - distance - share * shape
