"""What of a one-stage detector is exported: every decoded box with its scores, before non-maximum suppression."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.ops import clip_boxes_to_image

from zoo import Problem, detector_signature
from zoo_torchvision.detection.model import Detector


class OneStage(nn.Module):
    """input [n, 3, h, w] -> boxes [n, cells, 4] in pixels, scores [n, cells, classes] in 0..1."""

    def __init__(self, model: Detector, problem: Problem) -> None:
        super().__init__()
        size = problem.image.size
        self.model = model if model.image_size == size else model.at(size)
        self.signature = detector_signature(problem, cells=len(self.model.anchors))

    def forward(self, input: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes, cut at the edges of the picture, and scores."""
        boxes, scores = self.model(input)
        return clip_boxes_to_image(boxes, self.model.image_size), scores
