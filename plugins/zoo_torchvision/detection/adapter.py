"""What of a one-stage detector is exported: every decoded box with its scores, before non-maximum suppression."""

from __future__ import annotations

from typing import Final

from torch import Tensor, nn
from torchvision.ops import clip_boxes_to_image

from zoo import Problem, detector_signature
from zoo_torchvision.detection.model import Detector, decode_fcos

SPREAD: Final = 1.5
"""Standard deviation of the class logits of a network that nobody trained."""


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

    def enliven(self, *inputs: Tensor) -> str:
        """Fresh networks score every class alike, and below what is answered: their logits are spread."""
        network = self.model.network
        logits = network.head(list(network.backbone(inputs[0]).values()))["cls_logits"]
        factor = SPREAD / float(logits.std())
        for layer in score_layers(network.head.classification_head):
            layer.weight.mul_(factor)
        said = f"class logits spread to {SPREAD:g}"
        # FCOS cuts distances off at zero, where half of the fresh ones lie: its boxes would be without area
        distances = getattr(network.head.regression_head, "bbox_reg", None)
        if self.model.decode is decode_fcos and isinstance(distances, nn.Conv2d) and distances.bias is not None:
            distances.bias.add_(1.0)
            said += ", distances to the sides begun at one cell"
        return said


def score_layers(head: nn.Module) -> list[nn.Conv2d]:
    """The last convolutions of a classification head: SSD has one for each stride, the others share theirs."""
    if isinstance(shared := getattr(head, "cls_logits", None), nn.Conv2d):
        return [shared]
    strides = head.get_submodule("module_list").children()
    return [[layer for layer in one.modules() if isinstance(layer, nn.Conv2d)][-1] for one in strides]
