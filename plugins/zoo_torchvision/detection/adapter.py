"""The exported modules of detectors: decoded boxes with their scores, before non-maximum suppression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torchvision.ops import clip_boxes_to_image

from zoo import Port, Problem, Signature, detector_signature
from zoo_torchvision.detection.model import Detector, decode_fcos
from zoo_torchvision.detection.two_stage import TwoStage

LOGIT_DEVIATION: Final = 1.5
"""The standard deviation that randomised class logits get."""


class OneStageAdapter(nn.Module):
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

    def initialise(self, *inputs: Tensor) -> str:
        """Scales the class logits: an untrained network scores all classes alike, below the score threshold."""
        network = self.model.network
        logits = network.head(list(network.backbone(inputs[0]).values()))["cls_logits"]
        factor = LOGIT_DEVIATION / float(logits.std())
        for layer in score_layers(network.head.classification_head):
            layer.weight.mul_(factor)
        changes = f"class logits spread to {LOGIT_DEVIATION:g}"
        # FCOS clamps distances at zero, which half of the untrained ones are below: boxes would have no area
        distances = getattr(network.head.regression_head, "bbox_reg", None)
        if self.model.decode is decode_fcos and isinstance(distances, nn.Conv2d) and distances.bias is not None:
            distances.bias.add_(1.0)
            changes += ", distances to the sides begun at one cell"
        return changes


class TwoStageAdapter(nn.Module):
    """input [1, 3, h, w] -> boxes [1, regions, 4 x classes] in pixels, scores [1, regions, classes] and the regions.

    One picture at a time, as each has its own proposals.  The proof matches regions by their keys, and accepts another
    selection where PyTorch itself might make it (see `zoo_export.reference.proposals`).
    """

    keys: Final = "regions"

    def __init__(self, model: TwoStage, problem: Problem) -> None:
        super().__init__()
        size, classes = problem.image.size, len(problem.classes)
        self.model = model if model.image_size == size else model.at(size)
        room = self.model.choice.room
        boxes = Port(name="boxes", dtype="float32", shape=(1, room, 4 * classes), doc="corners in pixels, per class")
        scores = Port(name="scores", dtype="float32", shape=(1, room, classes), doc="0..1 per class")
        region_keys = Port(name="regions", dtype="int64", shape=(1, room), doc="what tells a region apart; -1 is none")
        image = Port(name="input", dtype="float32", shape=(1, problem.image.channels, *size))
        self.signature = Signature(inputs=(image,), outputs=(boxes, scores, region_keys))

    def forward(self, input: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes, scores and regions, in the order of the anchors."""
        boxes, scores, regions = self.model(input)
        return boxes, scores, regions

    def selection_scores(self, input: Tensor) -> tuple[Tensor, ...]:
        """The selection scores: objectness [1, anchors], and the proposed boxes [1, anchors, 4]."""
        return self.model.proposed(input)

    def possible(self, input: Tensor, *, off: Sequence[float]) -> tuple[Tensor, ...] | None:
        """The outputs for every region that could be selected; and bool [1, k], which ones certainly are."""
        return self.model.possible(input, off=off)

    def initialise(self, *inputs: Tensor) -> str:
        """Scales objectness and class logits: an untrained network scores all regions and all classes alike."""
        network = self.model.network
        self._spread(network.rpn.head.cls_logits, self.model.proposed(inputs[0])[0])
        before = torch.log(self.model(inputs[0])[1].clamp(min=1e-12))
        self._spread(network.roi_heads.box_predictor.cls_score, before)
        return f"objectness and class logits spread to {LOGIT_DEVIATION:g}"

    @staticmethod
    def _spread(layer: nn.Module, logits: Tensor) -> None:
        assert isinstance(layer.weight, nn.Parameter)
        layer.weight.mul_(LOGIT_DEVIATION / float(logits.std()))


def score_layers(head: nn.Module) -> list[nn.Conv2d]:
    """The last convolutions of a classification head: one for each stride in SSD, a single one in the others."""
    if isinstance(shared := getattr(head, "cls_logits", None), nn.Conv2d):
        return [shared]
    strides = head.get_submodule("module_list").children()
    return [[layer for layer in head.modules() if isinstance(layer, nn.Conv2d)][-1] for head in strides]
