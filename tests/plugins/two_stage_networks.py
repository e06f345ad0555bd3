"""The smallest Faster R-CNN: two maps of sixteen channels, a dozen regions."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import TwoMLPHead
from torchvision.ops import Conv2dNormActivation, MultiScaleRoIAlign

from zoo_torchvision.detection.two_stage import TwoStage

SIZE = (64, 96)


class Maps(nn.Module):
    """Features at strides 8 and 16."""

    out_channels = 16

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(*(Conv2dNormActivation(before, 16, 3, 2) for before in (3, 16, 16)))
        self.second = Conv2dNormActivation(16, 16, 3, 2)
        # so small a network sees a few pixels only: everywhere in the dark its regions would be equally good
        self.where = nn.Parameter(torch.randn(1, 16, 8, 12))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        fine = self.first(images)
        fine = fine + nn.functional.interpolate(self.where, fine.shape[2:], mode="nearest")
        return OrderedDict([("0", fine), ("1", self.second(fine))])


def small_network(*, classes: int, seed: int = 0, regions: int = 12) -> TwoStage:
    """Random numbers; `classes` without the background."""
    torch.manual_seed(seed)
    network = FasterRCNN(
        Maps(),
        num_classes=None,
        rpn_anchor_generator=AnchorGenerator(((16,), (32,)), ((0.5, 1.0, 2.0),) * 2),
        box_roi_pool=MultiScaleRoIAlign(["0", "1"], output_size=3, sampling_ratio=2),
        box_head=TwoMLPHead(16 * 9, 32),
        box_predictor=Predictor(32, classes + 1),
        rpn_pre_nms_top_n_test=40,
        rpn_nms_thresh=0.3,
        rpn_score_thresh=0.3,
        rpn_post_nms_top_n_test=regions,
        box_score_thresh=0.0,
    )
    with torch.no_grad():  # fresh ones are alike to four digits
        network.rpn.head.cls_logits.weight.mul_(1e4)
    return TwoStage(network, image_size=SIZE).eval()


class Predictor(nn.Module):
    """torchvision's, under its names."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.cls_score = nn.Linear(channels, classes)
        self.bbox_pred = nn.Linear(channels, 4 * classes)

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        return self.cls_score(seen), self.bbox_pred(seen)
