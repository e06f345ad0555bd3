"""Faster R-CNN: a network proposes regions, a second head looks into each (Ren et al. 2015, arXiv:1506.01497).

While it trains the module gives the network's own losses; in eval mode the regions that it looked into, each with a box
and a score for every class, before thresholds and suppression, which are the task's.
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
Looked = tuple[Tensor, Tensor, Tensor]
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
        anchors, self.choice = self._laid_out(image_size)
        self.register_buffer("anchors", anchors, persistent=False)

    def at(self, image_size: tuple[int, int]) -> TwoStage:
        """The same network for pictures of another size."""
        return TwoStage(self.network, image_size=image_size)

    @torch.no_grad()
    def _laid_out(self, image_size: tuple[int, int]) -> tuple[Tensor, Choice]:
        """Anchors [anchors, 4] and how regions are chosen; the pooling learns the scales of its maps on the way."""
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
            levels=tuple(n * one.shape[2] * one.shape[3] for n, one in zip(each, features.values(), strict=True)),
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
        chosen = [choose(one, where, self.choice) for one, where in zip(scores, boxes, strict=True)]
        rows = [self._look(features, place, boxes[place], anchors) for place, anchors in enumerate(chosen)]
        return tuple(torch.stack(parts) for parts in zip(*rows, strict=True))

    def proposed(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """What the first stage says: objectness [n, anchors], and boxes [n, anchors, 4] inside the picture."""
        return self._proposed(self.network.backbone(images))

    def possible(self, images: Tensor, *, off: Sequence[float]) -> tuple[Tensor, ...] | None:
        """As `forward` of one picture, but with every region that could have been chosen had the proposed scores and
        edges been off by `off`, at most; and bool [1, k], which of them certainly are.  None: they are too many."""
        features = self.network.backbone(images)
        scores, boxes = self._proposed(features)
        found = possible(scores[0], boxes[0], self.choice, off=off)
        if found is None:
            return None
        regions = boxes[0][found.anchors]
        # a level is a choice as well: a region whose side is near a step is looked for in both
        low, high = (self._levels(regions, off=edge) for edge in (-off[1], off[1]))
        both = low != high
        parts = (
            (regions, low, found.anchors, found.certain & ~both),
            (regions[both], high[both], found.anchors[both], torch.zeros_like(found.certain[both])),
        )
        regions, levels, anchors, certain = (torch.cat(pair) for pair in zip(*parts, strict=True))
        answers = self._pooled(features, 0, regions, levels, anchors)
        return answers[0][None], answers[1][None], answers[2][None], certain[None]

    def _proposed(self, features: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        objectness, codes = self.network.rpn.head(list(features.values()))
        objectness, codes = concat_box_prediction_layers(objectness, codes)
        scores, codes = (one.to(self.anchors.dtype) for one in (objectness, codes))
        codes = codes.unflatten(0, (-1, len(self.anchors)))
        boxes = scaled_boxes(codes, self.anchors, self.network.rpn.box_coder.weights)
        return scores.reshape(codes.shape[:2]), clip_boxes_to_image(boxes, self.image_size)

    def _look(self, features: Mapping[str, Tensor], place: int, boxes: Tensor, anchors: Tensor) -> Looked:
        """Into the regions of one picture that these anchors [k] led to; -1 gives zeros."""
        regions = boxes[anchors.clamp(min=0)]
        return self._pooled(features, place, regions, self._levels(regions), anchors)

    def _pooled(
        self, features: Mapping[str, Tensor], place: int, regions: Tensor, levels: Tensor, anchors: Tensor
    ) -> Looked:
        heads, mapper = self.network.roi_heads, self.network.roi_heads.box_roi_pool.map_levels
        logits, codes = heads.box_predictor(heads.box_head(self._crops(features, place, regions, levels)))
        codes = codes.unflatten(1, (-1, 4)).to(regions.dtype)
        boxes = scaled_boxes(codes, regions.unsqueeze(1), heads.box_coder.weights)
        boxes = clip_boxes_to_image(boxes[:, 1:], self.image_size).flatten(1)
        scores = logits.to(regions.dtype).softmax(-1)[:, 1:]
        there = anchors >= 0
        keys = torch.where(there, anchors * (mapper.k_max - mapper.k_min + 1) + levels, -1)
        return boxes * there.unsqueeze(1), scores * there.unsqueeze(1), keys

    def _levels(self, regions: Tensor, *, off: float = 0.0) -> Tensor:
        """The map in which each region is looked for (Lin et al. 2017, arXiv:1612.03144, equation 1); with `off`
        the one it would be, were every side longer by twice that."""
        mapper = self.network.roi_heads.box_roi_pool.map_levels
        sides = (regions[:, 2:] - regions[:, :2] + 2 * off).clamp(min=0.0)
        level = torch.floor(mapper.lvl0 + torch.log2(sides.prod(1).sqrt() / mapper.s0) + mapper.eps)
        number: Tensor = level.clamp(mapper.k_min, mapper.k_max).long() - mapper.k_min
        return number

    def _crops(self, features: Mapping[str, Tensor], place: int, regions: Tensor, levels: Tensor) -> Tensor:
        """[k, channels, 7, 7]: what each region's own map shows there."""
        pool = self.network.roi_heads.box_roi_pool
        maps = [features[name][place : place + 1] for name in pool.featmap_names if name in features]
        regions = torch.cat([regions.new_zeros(len(regions), 1), regions], dim=1).to(maps[0].dtype)
        found = maps[0].new_zeros(len(regions), maps[0].shape[1], *pool.output_size)
        for level, (shown, scale) in enumerate(zip(maps, pool.scales, strict=True)):
            here = (levels == level).nonzero().squeeze(1)
            crops = roi_align(shown, regions[here], pool.output_size, scale, pool.sampling_ratio)
            found = found.index_copy(0, here, crops)
        return found


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
