"""What of a two-stage detector is exported: every region that it looks into, before non-maximum suppression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

from zoo import Port, Problem, Signature
from zoo_torchvision.detection.adapter import SPREAD
from zoo_torchvision.detection.two_stage import TwoStage


class Looking(nn.Module):
    """input [1, 3, h, w] -> boxes [1, regions, 4 x classes] in pixels, scores [1, regions, classes] and the regions.

    One picture at a time: which regions are looked into is chosen for each.  The proof compares them by their names,
    and lets a file choose otherwise where PyTorch itself might (see `zoo_export.reference.proposals`).
    """

    keys: Final = "regions"

    def __init__(self, model: TwoStage, problem: Problem) -> None:
        super().__init__()
        size, classes = problem.image.size, len(problem.classes)
        self.model = model if model.image_size == size else model.at(size)
        room = self.model.choice.room
        boxes = Port(name="boxes", dtype="float32", shape=(1, room, 4 * classes), doc="corners in pixels, per class")
        scores = Port(name="scores", dtype="float32", shape=(1, room, classes), doc="0..1 per class")
        named = Port(name="regions", dtype="int64", shape=(1, room), doc="what tells a region apart; -1 is none")
        image = Port(name="input", dtype="float32", shape=(1, problem.image.channels, *size))
        self.signature = Signature(inputs=(image,), outputs=(boxes, scores, named))

    def forward(self, input: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes, scores and regions, in the order of the anchors."""
        boxes, scores, regions = self.model(input)
        return boxes, scores, regions

    def grounds(self, input: Tensor) -> tuple[Tensor, ...]:
        """What the regions are chosen by: objectness [1, anchors] and boxes [1, anchors, 4]."""
        return self.model.proposed(input)

    def possible(self, input: Tensor, *, off: Sequence[float]) -> tuple[Tensor, ...] | None:
        """The outputs with every region that could be chosen; and bool [1, k], which certainly are."""
        return self.model.possible(input, off=off)

    def enliven(self, *inputs: Tensor) -> str:
        """A fresh network finds all regions alike, and in them all classes: its logits are spread."""
        network = self.model.network
        self._spread(network.rpn.head.cls_logits, self.model.proposed(inputs[0])[0])
        before = torch.log(self.model(inputs[0])[1].clamp(min=1e-12))
        self._spread(network.roi_heads.box_predictor.cls_score, before)
        return f"objectness and class logits spread to {SPREAD:g}"

    @staticmethod
    def _spread(layer: nn.Module, said: Tensor) -> None:
        assert isinstance(layer.weight, nn.Parameter)
        layer.weight.mul_(SPREAD / float(said.std()))
