"""The losses of torchvision's one-stage detectors for what their heads gave, in eval mode as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torchvision.models.detection.fcos import FCOS
from torchvision.models.detection.ssd import SSD
from torchvision.ops import box_iou

Targets = Sequence[dict[str, Tensor]]
"""Per picture `boxes` [k, 4] in pixels and `labels` int64 [k], as the network counts its classes."""


def head_losses(
    network: Any,
    head: dict[str, Tensor],
    targets: Targets,
    *,
    anchors: Tensor,
    cells: Sequence[int],
    divisor: Callable[[Tensor], Tensor] | None = None,
) -> dict[str, Tensor]:
    """The network's own losses by name, scalars.

    `head` holds the outputs of its head for n pictures, `anchors` [cells, 4] are those of each picture, and `cells`
    says how many of them each stride has.  `divisor` is the context's in a training step: SSD's losses are a mean over
    the anchors that have an object.  FCOS divides by these inside its own loss, where `divisor` does not come.
    """
    each = [anchors] * len(targets)
    losses: dict[str, Tensor]
    if isinstance(network, SSD):
        matched = [_matched(network, item, anchors) for item in targets]
        losses = network.compute_loss(list(targets), head, each, matched)
        if divisor is not None:
            count = (torch.stack(matched) >= 0).sum()
            factor = count.clamp(min=1) / divisor(count)
            losses = {name: loss * factor for name, loss in losses.items()}
    elif isinstance(network, FCOS):
        losses = network.compute_loss(list(targets), head, each, list(cells))
    else:
        losses = network.compute_loss(list(targets), head, each)
    return losses


def _matched(network: SSD, target: dict[str, Tensor], anchors: Tensor) -> Tensor:
    """The object of each anchor, int64 [cells]; -1 is none.  SSD matches outside of its `compute_loss`."""
    if not len(target["boxes"]):
        return torch.full((len(anchors),), -1, dtype=torch.int64, device=anchors.device)
    matched: Tensor = network.proposal_matcher(box_iou(target["boxes"], anchors))
    return matched
