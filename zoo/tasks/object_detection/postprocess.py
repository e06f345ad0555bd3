"""Postprocessing of detectors in pipeline.onnx: threshold, NMS, boxes in pixels of the given picture.  [torch]"""

from __future__ import annotations

from typing import Final

import torch
import torchvision
from torch import Tensor, nn

from zoo.api.problem import Problem
from zoo.tasks.object_detection.facts import CANDIDATES, postprocess_steps


class Detections(nn.Module):
    """(boxes [1, cells, 4], scores [1, cells, classes], …, image [h, w, 3]) -> (boxes [n, 4], scores [n], labels [n]).

    The model's boxes are corners in pixels of its own input of `size` (height, width), to which the picture was
    resized.  A box may stand for several classes, or a cell have one for each: [1, cells, 4 x classes].  Of boxes of
    one class that overlap by more than `overlap` the highest score stays.  The answer is sorted by score; n may be 0
    and is `limit` at most.  Further outputs of a model (keys of its cells) are not used here.
    """

    raw: Final = ("image",)

    def __init__(
        self, *, size: tuple[int, int], score: float, overlap: float, limit: int, candidates: int = CANDIDATES
    ) -> None:
        super().__init__()
        self.size = size
        self.score = score
        self.overlap = overlap
        self.limit = limit
        self.candidates = candidates

    def forward(self, boxes: Tensor, scores: Tensor, *others: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """float32 [n, 4] left, top, right, bottom; float32 [n]; int64 [n].  The last of the others is the picture."""
        image = others[-1]
        corners, confidence, labels = self.select(boxes.squeeze(0), scores.squeeze(0))
        x = corners[:, 0::2] * image.shape[1] / self.size[1]
        y = corners[:, 1::2] * image.shape[0] / self.size[0]
        return torch.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], dim=1), confidence, labels

    def select(self, boxes: Tensor, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes [cells, 4], or as many for each class, and scores [cells, classes] to the answer, in pixels of the
        model's input."""
        height, width = self.size
        classes = scores.shape[1]
        flat = scores.flatten()
        confidence, index = flat.topk(min(self.candidates, flat.shape[0]))
        labels = index % classes
        # one box for all classes of a cell, or one for each
        corners = boxes[index // classes] if boxes.shape[1] == 4 else boxes.reshape(-1, 4)[index]
        corners = torch.stack([corners[:, i].clamp(0.0, float((width, height)[i % 2])) for i in range(4)], dim=1)

        certain = (confidence > self.score).nonzero().squeeze(1)
        corners, confidence, labels = corners[certain], confidence[certain], labels[certain]
        # each class is moved to a region of its own, so that one NMS serves all; the distance is a
        # constant, because a branch on the number of boxes cannot be exported
        offset = labels.to(corners.dtype).unsqueeze(1) * (max(self.size) + 1.0)
        kept = torch.ops.torchvision.nms(corners + offset, confidence, self.overlap)[: self.limit]
        return corners[kept], confidence[kept], labels[kept]


def detections(problem: Problem) -> Detections:
    """The postprocessing of a problem, with the numbers that its steps name."""
    numbers = {name: number for step in postprocess_steps(problem) for name, number in step.numbers.items()}
    return Detections(
        size=problem.image.size,
        candidates=int(numbers["k"]),
        score=numbers["score_threshold"],
        overlap=numbers["iou_threshold"],
        limit=int(numbers["max_detections"]),
    )


assert torchvision.extension._has_ops(), "torchvision was built without its operators"
