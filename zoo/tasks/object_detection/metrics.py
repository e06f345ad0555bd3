"""COCO's mean average precision, by torchmetrics over faster-coco-eval.  [torch]"""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from PIL import Image
from torch import Tensor
from torchmetrics.detection import MeanAveragePrecision

from zoo.api.problem import Problem
from zoo.data.charts import save, save_table
from zoo.data.image.drawing import side_by_side, tiled
from zoo.tasks.object_detection.by_class import (
    ClassPrecision,
    WrongPicture,
    curve_chart,
    precision_by_class,
    wrong_picture,
)
from zoo.tasks.object_detection.drawing import boxed
from zoo.tasks.object_detection.postprocess import detections

if TYPE_CHECKING:
    from zoo.api.task import Batch

SHOWN: Final = 16
LISTED: Final = 100
"""Pictures whose mistakes are listed."""
NAMES: Final = {"map": "map", "map50": "map_50", "map75": "map_75"}


class DetectionMetrics:
    """The outputs of a detector's model.onnx, postprocessed as in pipeline.onnx, against the boxes of the batch."""

    def __init__(self, problem: Problem) -> None:
        self.classes = problem.classes
        self.finish = detections(problem)
        self.metric = MeanAveragePrecision(backend="faster_coco_eval", extended_summary=True)
        self.metric.warn_on_many_detections = False
        self.examples: list[tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]] = []
        self.wrong: list[WrongPicture] = []
        self.boxes: Counter[int] = Counter()
        self.by_class: list[ClassPrecision] = []

    def update(self, outputs: Batch, batch: Batch) -> None:
        """Count one batch: outputs boxes [n, cells, 4] and scores [n, cells, classes]."""
        rows = zip(outputs["boxes"].float(), outputs["scores"].float(), strict=True)
        detected = [self.finish.select(boxes, scores) for boxes, scores in rows]
        answers = [{"boxes": boxes, "scores": scores, "labels": labels} for boxes, scores, labels in detected]
        truth = [_truth(batch, index) for index in range(len(answers))]
        self.metric.to(outputs["boxes"].device).update(answers, truth)
        self._keep(batch, answers, truth)

    def _keep(self, batch: Batch, answers: list[dict[str, Tensor]], truth: list[dict[str, Tensor]]) -> None:
        """The first pictures of the split, and those that are most wrong."""
        names = batch.get("name") or [""] * len(answers)
        for index, (name, answer, true) in enumerate(zip(names, answers, truth, strict=True)):
            here = [{key: value.cpu() for key, value in boxes.items()} for boxes in (answer, true)]
            self.boxes.update(batch["labels"][index].tolist())
            if len(self.examples) < SHOWN:
                self.examples.append((batch["image"][index].cpu(), *here))
            if wrong := wrong_picture(name, here[0], here[1], self.classes):
                self.wrong.append(wrong)
        self.wrong = sorted(self.wrong, key=lambda wrong: -len(wrong.missed) - len(wrong.extra))[:LISTED]

    def compute(self) -> dict[str, float]:
        """map (over overlaps of 0.50 to 0.95), map50 and map75, in 0..1, over all processes together; NaN where the
        split has no object."""
        values = self.metric.compute()
        self.by_class = precision_by_class(values, self.classes)
        # a split without any object has no precision to speak of: the library says -1, and zoo that it is no number
        return {name: math.nan if values[key] < 0 else float(values[key]) for name, key in NAMES.items()}

    def pictures(self, folder: Path) -> list[Path]:
        """detections.png: the truth beside the answer for the first pictures; the curves and the table of the classes,
        and a table of the pictures that are most wrong; after `compute`."""
        if not self.examples:
            return []
        path = folder / "detections.png"
        tiled([self._beside_truth(*example) for example in self.examples]).save(path)
        files = [path]
        if self.by_class:
            files.append(save(curve_chart(self.by_class), folder / "precision_recall.png"))
            files.append(save_table(folder / "classes.csv", ("class", "boxes", "map", "map50"), self._class_rows()))
        if self.wrong:
            rows = [(wrong.name, ", ".join(wrong.missed), ", ".join(wrong.extra)) for wrong in self.wrong]
            header = ("file", "missed", "found where there is none")
            files.append(save_table(folder / "mistakes.csv", header, rows))
        return files

    def _class_rows(self) -> list[tuple[str, ...]]:
        counts = {self.classes[label]: count for label, count in self.boxes.items()}
        return [
            (row.name, str(counts.get(row.name, 0)), f"{row.precision:.4f}", f"{row.precision_50:.4f}")
            for row in self.by_class
        ]

    def _beside_truth(self, image: Tensor, answer: dict[str, Tensor], truth: dict[str, Tensor]) -> Image.Image:
        """The picture with its true boxes, beside itself with those that were found."""
        levels = image.expand(3, -1, -1).permute(1, 2, 0).numpy()
        parts = [
            boxed(
                levels,
                boxes["boxes"].tolist(),
                [self.classes[label] for label in boxes["labels"].tolist()],
                boxes["scores"].tolist() if "scores" in boxes else None,
            )
            for boxes in (truth, answer)
        ]
        return side_by_side(*parts)


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
