"""What of a YOLO is exported: decoded boxes and a score for every class, before non-maximum suppression."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from zoo import Problem, detector_signature
from zoo_yolo.model import STRIDES, Yolo

LOGIT_DEVIATION: Final = 1.5
"""The standard deviation that randomised class logits get."""


class Detector(nn.Module):
    """input [n, channels, h, w] -> boxes [n, cells, 4] in pixels, scores [n, cells, classes] in 0..1."""

    def __init__(self, model: Yolo, problem: Problem) -> None:
        super().__init__()
        self.model = model
        height, width = problem.image.size
        cells = sum((height // stride) * (width // stride) for stride in STRIDES)
        self.size = (height, width)
        self.signature = detector_signature(problem, cells=cells)

    def forward(self, input: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes, cut at the edges of the picture, and scores."""
        boxes, logits = self.model(input)
        return clip_boxes(boxes, self.size), probability(logits)

    def initialise(self, *inputs: Tensor) -> str:
        """Scales the class logits: some untrained networks give none above the score threshold."""
        factor = LOGIT_DEVIATION / float(self.model(inputs[0])[1].std())
        for head in self.model.heads:
            head.get_submodule("what.1").get_parameter("weight").mul_(factor)
        return f"class logits spread to {LOGIT_DEVIATION:g}"


def clip_boxes(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Boxes [n, cells, 4] cut at the edges of a picture of this height and width.

    The numbers of torchvision.ops.clip_boxes_to_image, bit for bit, without its slices of every second column: ncnn
    takes no slice with a step.
    """
    height, width = size
    return torch.minimum(boxes.clamp(min=0), boxes.new_tensor([width, height, width, height]))


def probability(logits: Tensor) -> Tensor:
    """The sigmoid, written out: ONNX Runtime's own is off by about 1e-8, more than the scores of an empty picture."""
    return 1.0 / (1.0 + torch.exp(-logits))
