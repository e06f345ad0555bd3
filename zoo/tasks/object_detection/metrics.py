"""COCO's mean average precision, by torchmetrics over faster-coco-eval.  [torch]"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor
from torchmetrics.detection import MeanAveragePrecision

from zoo.api.problem import Problem
from zoo.data.image.drawing import tiled
from zoo.tasks.object_detection.drawing import boxed
from zoo.tasks.object_detection.postprocess import detections

if TYPE_CHECKING:
    from zoo.api.task import Batch

SHOWN: Final = 16
NAMES: Final = {"map": "map", "map50": "map_50", "map75": "map_75"}


class DetectionMetrics:
    """The outputs of a detector's model.onnx, postprocessed as in pipeline.onnx, against the boxes of the batch."""

    def __init__(self, problem: Problem) -> None:
        self.classes = problem.classes
        self.finish = detections(problem)
        self.metric = MeanAveragePrecision(backend="faster_coco_eval")
        self.metric.warn_on_many_detections = False
        self.examples: list[tuple[Tensor, dict[str, Tensor]]] = []

    def update(self, outputs: Batch, batch: Batch) -> None:
        """Count one batch: outputs boxes [n, cells, 4] and scores [n, cells, classes]."""
        rows = zip(outputs["boxes"].float(), outputs["scores"].float(), strict=True)
        detected = [self.finish.select(boxes, scores) for boxes, scores in rows]
        answers = [{"boxes": boxes, "scores": scores, "labels": labels} for boxes, scores, labels in detected]
        truth = [_truth(batch, index) for index in range(len(answers))]
        self.metric.to(outputs["boxes"].device).update(answers, truth)
        free = SHOWN - len(self.examples)
        self.examples += [(batch["image"][index].cpu(), answers[index]) for index in range(len(answers[:free]))]

    def compute(self) -> dict[str, float]:
        """map (over overlaps of 0.50 to 0.95), map50 and map75, in 0..1, over all processes together; NaN where the
        split has no object."""
        values = self.metric.compute()
        # a split without any object has no precision to speak of: the library says -1, and zoo that it is no number
        return {name: math.nan if values[key] < 0 else float(values[key]) for name, key in NAMES.items()}

    def pictures(self, folder: Path) -> list[Path]:
        """detections.png: the detections in the first pictures of the split."""
        if not self.examples:
            return []
        drawn = [
            boxed(
                image.expand(3, -1, -1).permute(1, 2, 0).numpy(),
                answer["boxes"].tolist(),
                [self.classes[label] for label in answer["labels"].tolist()],
                answer["scores"].tolist(),
            )
            for image, answer in self.examples
        ]
        path = folder / "detections.png"
        tiled(drawn).save(path)
        return [path]


def _truth(batch: Batch, index: int) -> dict[str, Tensor]:
    """The boxes of one picture as torchmetrics takes them, those to ignore as COCO's crowds."""
    boxes, labels = batch["boxes"][index], batch["labels"][index]
    if "ignored" not in batch:
        return {"boxes": boxes, "labels": labels}
    crowd, names = batch["ignored"][index], batch["ignored_labels"][index]
    return {
        "boxes": torch.cat([boxes, crowd]),
        "labels": torch.cat([labels, names]),
        "iscrowd": torch.cat([torch.zeros_like(labels), torch.ones_like(names)]),
    }
