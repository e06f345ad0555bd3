"""Postprocessing of segmenters in pipeline.onnx: the likeliest class of every pixel of the given picture.  [torch]"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.api.problem import Problem
from zoo.tasks.semantic_segmentation.facts import answer_dtype


class ClassMap(nn.Module):
    """(logits [1, classes, h, w], image [height, width, 3]) -> classes [height, width].

    The logits, not the classes, are resized to the picture's own size, so that edges are not blocky.
    """

    raw: Final = ("image",)

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, logits: Tensor, image: Tensor) -> Tensor:
        """The index of the highest logit; the first of equal ones."""
        return self.sized(logits, image).argmax(1).squeeze(0).to(self.dtype)

    def margin(self, logits: Tensor, image: Tensor) -> Tensor:
        """The difference of the highest and the second logit, [height, width]; 1 where there is one class."""
        scores = self.sized(logits, image)
        if scores.shape[1] == 1:
            return torch.ones_like(scores[0, 0])
        first, second = scores.topk(2, dim=1).values.unbind(1)
        return (first - second).squeeze(0)

    def sized(self, logits: Tensor, image: Tensor) -> Tensor:
        """Scores for every pixel of the picture, [1, classes, height, width]."""
        size = (image.shape[0], image.shape[1])
        return F.interpolate(logits, size, mode="bilinear", align_corners=False)


def class_map(problem: Problem) -> ClassMap:
    """The postprocessing of a problem."""
    return ClassMap(getattr(torch, answer_dtype(problem)))
