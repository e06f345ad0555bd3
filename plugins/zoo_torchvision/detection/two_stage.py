"""Faster R-CNN: a network proposes regions, a second head looks into each (Ren et al. 2015, arXiv:1506.01497).

While it trains the module gives the network's own losses; in eval mode its detections, in as many cells as it may
answer, empty ones with scores of zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import torch
from torch import Tensor, nn
from torchvision.models import detection

from zoo import Problem, detector_signature
from zoo_torchvision.detection.model import Objects, bypass

NAMES: Final = (
    "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2",
    "fasterrcnn_mobilenet_v3_large_fpn",
    "fasterrcnn_mobilenet_v3_large_320_fpn",
)
CELLS: Final = 100
"""Detections that the network answers at most."""


class TwoStage(nn.Module):
    """A two-stage network for pictures of one size; class 0 of its own is the background."""

    def __init__(self, network: Any, *, image_size: tuple[int, int]) -> None:
        super().__init__()
        self.network = network
        self.classes = network.roi_heads.box_predictor.cls_score.out_features - 1
        bypass(network, image_size)

    def forward(self, images: Tensor, objects: Objects | None = None) -> Any:
        """images float32 [n, 3, h, w]; in training with `objects` a mapping of losses, else boxes and scores.

        boxes float32 [n, 100, 4] are corners in pixels; scores float32 [n, 100, classes] are in 0..1, each cell with
        one class.
        """
        if self.training:
            if objects is None:
                raise ValueError("a detector in training mode needs the objects to learn")
            targets = [{"boxes": boxes, "labels": labels + 1} for boxes, labels in objects]
            return self.network(list(images), targets)
        found = [self._cells(one, images) for one in self.network(list(images))]
        return torch.stack([boxes for boxes, _ in found]), torch.stack([scores for _, scores in found])

    def _cells(self, found: Mapping[str, Tensor], images: Tensor) -> tuple[Tensor, Tensor]:
        """Detections of one picture as boxes [100, 4] and scores [100, classes]."""
        boxes, scores = images.new_zeros(CELLS, 4), images.new_zeros(CELLS, self.classes)
        count = min(len(found["scores"]), CELLS)
        boxes[:count] = found["boxes"][:count]
        scores[torch.arange(count), found["labels"][:count] - 1] = found["scores"][:count].to(scores.dtype)
        return boxes, scores


class Answering(nn.Module):
    """What a two-stage detector answers with: the model itself, with its ports named."""

    def __init__(self, model: TwoStage, problem: Problem) -> None:
        super().__init__()
        self.model = model
        self.signature = detector_signature(problem, cells=CELLS)

    def forward(self, input: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes and scores."""
        boxes, scores = self.model(input)
        return boxes, scores


def network(name: str, *, num_classes: int) -> nn.Module:
    """torchvision's own, from random numbers; `num_classes` counts the background."""
    built: nn.Module = getattr(detection, name)(weights=None, weights_backbone=None, num_classes=num_classes)
    return built


def two_stage(name: str, *, num_classes: int, image_size: tuple[int, int]) -> TwoStage:
    """One architecture for pictures of one size."""
    return TwoStage(network(name, num_classes=num_classes + 1), image_size=image_size)


def __getattr__(name: str) -> Callable[..., TwoStage]:
    if name not in NAMES:
        raise AttributeError(f"torchvision has no two-stage detector named {name!r}")
    return partial(two_stage, name)
