"""Faster R-CNN: a first stage proposes regions, a second one classifies each (Ren et al. 2015, arXiv:1506.01497).

In training mode the module gives the network's own losses; in eval mode the selected regions, each with a box and a
score for every class, before score threshold and NMS, which belong to the task.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import torch
from torch import Tensor, nn
from torchvision.models import detection
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import concat_box_prediction_layers
from torchvision.ops import clip_boxes_to_image, roi_align

from zoo_torchvision.detection.model import Objects, bypass, scaled_boxes
from zoo_torchvision.detection.regions import Choice, choose, possible

NAMES: Final = (
    "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2",
    "fasterrcnn_mobilenet_v3_large_fpn",
    "fasterrcnn_mobilenet_v3_large_320_fpn",
)
RegionOutputs = tuple[Tensor, Tensor, Tensor]
"""boxes [k, 4 x classes], scores [k, classes] and keys int64 [k] of the regions of one picture."""


class TwoStage(nn.Module):
    """A two-stage network for pictures of one size; class 0 of its own is the background."""

    anchors: Tensor

    def __init__(self, network: Any, *, image_size: tuple[int, int]) -> None:
        super().__init__()
        self.network = network
        self.classes = network.roi_heads.box_predictor.cls_score.out_features - 1
        self.image_size = image_size
        bypass(network, image_size)
        anchors, self.choice = self._anchors_and_choice(image_size)
        self.register_buffer("anchors", anchors, persistent=False)

    def at(self, image_size: tuple[int, int]) -> TwoStage:
        """The same network for pictures of another size."""
        return TwoStage(self.network, image_size=image_size)

    @torch.no_grad()
    def _anchors_and_choice(self, image_size: tuple[int, int]) -> tuple[Tensor, Choice]:
        """Anchors [anchors, 4] and the parameters of the selection; also sets the scales of the pooling."""
        network = self.network
        training = network.training
        network.eval()
        empty = torch.zeros(1, 3, *image_size)
        features = network.backbone(empty)
        first, pool = network.rpn, network.roi_heads.box_roi_pool
        anchors: Tensor = first.anchor_generator(ImageList(empty, [image_size]), list(features.values()))[0]
        each = first.anchor_generator.num_anchors_per_location()
        pool.scales = pool.map_levels = None  # of another size, if there are any
        pool(features, [anchors[:1]], [image_size])
        choice = Choice(
            levels=tuple(n * maps.shape[2] * maps.shape[3] for n, maps in zip(each, features.values(), strict=True)),
            candidates=first.pre_nms_top_n(),
            overlap=first.nms_thresh,
            smallest=first.min_size,
            least=math.log(first.score_thresh / (1 - first.score_thresh)) if first.score_thresh > 0 else -math.inf,
            regions=first.post_nms_top_n(),
        )
        network.train(training)
        return anchors, choice

    def forward(self, images: Tensor, objects: Objects | None = None) -> Any:
        """images float32 [n, 3, h, w]; in training with `objects` a mapping of losses, else boxes, scores and keys.

        boxes float32 [n, regions, 4 x classes] are corners in pixels, those of each class together; scores float32
        [n, regions, classes] are in 0..1; keys int64 [n, regions] tell the regions apart, -1 is none.
        """
        if self.training:
            if objects is None:
                raise ValueError("a detector in training mode needs the objects to learn")
            targets = [{"boxes": boxes, "labels": labels + 1} for boxes, labels in objects]
            return self.network(list(images), targets)
        features = self.network.backbone(images)
        scores, boxes = self._proposed(features)
        chosen = [choose(*proposals, self.choice) for proposals in zip(scores, boxes, strict=True)]
        rows = [self._classify(features, index, boxes[index], anchors) for index, anchors in enumerate(chosen)]
        return tuple(torch.stack(parts) for parts in zip(*rows, strict=True))

    def proposed(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The proposals of the first stage: objectness [n, anchors], and boxes [n, anchors, 4] inside the picture."""
        return self._proposed(self.network.backbone(images))

    def possible(self, images: Tensor, *, off: Sequence[float]) -> tuple[Tensor, ...] | None:
        """As `forward` of one picture, but with every region that could be selected if scores and edges of proposals
        are off by up to `off`; and bool [1, k], which of them certainly are.  None where they are too many."""
        features = self.network.backbone(images)
        scores, boxes = self._proposed(features)
        candidates = possible(scores[0], boxes[0], self.choice, off=off)
        if candidates is None:
            return None
        regions = boxes[0][candidates.anchors]
        # the level is a step as well: a region whose side is near it is pooled from both
        low, high = (self._levels(regions, off=edge) for edge in (-off[1], off[1]))
        both = low != high
        parts = (
            (regions, low, candidates.anchors, candidates.certain & ~both),
            (regions[both], high[both], candidates.anchors[both], torch.zeros_like(candidates.certain[both])),
        )
        regions, levels, anchors, certain = (torch.cat(pair) for pair in zip(*parts, strict=True))
        answers = self._pooled(features, 0, regions, levels, anchors)
        return answers[0][None], answers[1][None], answers[2][None], certain[None]

    def _proposed(self, features: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        objectness, codes = self.network.rpn.head(list(features.values()))
        objectness, codes = concat_box_prediction_layers(objectness, codes)
        scores, codes = (tensor.to(self.anchors.dtype) for tensor in (objectness, codes))
        codes = codes.unflatten(0, (-1, len(self.anchors)))
        boxes = scaled_boxes(codes, self.anchors, self.network.rpn.box_coder.weights)
        return scores.reshape(codes.shape[:2]), clip_boxes_to_image(boxes, self.image_size)

    def _classify(self, features: Mapping[str, Tensor], index: int, boxes: Tensor, anchors: Tensor) -> RegionOutputs:
        """The outputs for the regions of one picture that these anchors [k] gave; -1 gives zeros."""
        regions = boxes[anchors.clamp(min=0)]
        return self._pooled(features, index, regions, self._levels(regions), anchors)

    def _pooled(
        self, features: Mapping[str, Tensor], index: int, regions: Tensor, levels: Tensor, anchors: Tensor
    ) -> RegionOutputs:
        heads, mapper = self.network.roi_heads, self.network.roi_heads.box_roi_pool.map_levels
        logits, codes = heads.box_predictor(heads.box_head(self._crops(features, index, regions, levels)))
        codes = codes.unflatten(1, (-1, 4)).to(regions.dtype)
        boxes = scaled_boxes(codes, regions.unsqueeze(1), heads.box_coder.weights)
        boxes = clip_boxes_to_image(boxes[:, 1:], self.image_size).flatten(1)
        scores = logits.to(regions.dtype).softmax(-1)[:, 1:]
        valid = anchors >= 0
        keys = torch.where(valid, anchors * (mapper.k_max - mapper.k_min + 1) + levels, -1)
        return boxes * valid.unsqueeze(1), scores * valid.unsqueeze(1), keys

    def _levels(self, regions: Tensor, *, off: float = 0.0) -> Tensor:
        """The map that each region is pooled from (Lin et al. 2017, arXiv:1612.03144, equation 1); with `off`, for
        sides that are longer by twice that."""
        mapper = self.network.roi_heads.box_roi_pool.map_levels
        sides = (regions[:, 2:] - regions[:, :2] + 2 * off).clamp(min=0.0)
        level = torch.floor(mapper.lvl0 + torch.log2(sides.prod(1).sqrt() / mapper.s0) + mapper.eps)
        number: Tensor = level.clamp(mapper.k_min, mapper.k_max).long() - mapper.k_min
        return number

    def _crops(self, features: Mapping[str, Tensor], index: int, regions: Tensor, levels: Tensor) -> Tensor:
        """[k, channels, 7, 7]: every region cropped from its own map."""
        pool = self.network.roi_heads.box_roi_pool
        maps = [features[name][index : index + 1] for name in pool.featmap_names if name in features]
        regions = torch.cat([regions.new_zeros(len(regions), 1), regions], dim=1).to(maps[0].dtype)
        crops = maps[0].new_zeros(len(regions), maps[0].shape[1], *pool.output_size)
        for level, (shown, scale) in enumerate(zip(maps, pool.scales, strict=True)):
            members = (levels == level).nonzero().squeeze(1)
            part = roi_align(shown, regions[members], pool.output_size, scale, pool.sampling_ratio)
            crops = crops.index_copy(0, members, part)
        return crops


def network(name: str, *, num_classes: int) -> nn.Module:
    """torchvision's own network, randomly initialised; `num_classes` counts the background."""
    built: nn.Module = getattr(detection, name)(weights=None, weights_backbone=None, num_classes=num_classes)
    return built


def two_stage(name: str, *, num_classes: int, image_size: tuple[int, int]) -> TwoStage:
    """One architecture for pictures of one size."""
    return TwoStage(network(name, num_classes=num_classes + 1), image_size=image_size)


def __getattr__(name: str) -> Callable[..., TwoStage]:
    if name not in NAMES:
        raise AttributeError(f"torchvision has no two-stage detector named {name!r}")
    return partial(two_stage, name)
