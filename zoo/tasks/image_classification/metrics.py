"""Accuracy, the confusion matrix and the worst mistakes of a classifier.  [torch]"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor
from torch.nn import functional as F
from torchmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix

from zoo.data.charts import confusion_chart, save, wall
from zoo.tasks.bases.mean_metrics import WorstItems

if TYPE_CHECKING:
    from zoo.api.task import Batch

WORST: Final = 16


@dataclass(frozen=True, slots=True)
class Mistake:
    """A picture, uint8 [channels, h, w], and what it was taken for."""

    image: Tensor
    label: int
    answer: int
    probability: float


class ClassificationMetrics:
    """`outputs["logits"]` against `batch["label"]`: top1, top5 above five classes, and the mean loss."""

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = classes
        count = len(classes)
        self.metrics = {
            f"top{k}": MulticlassAccuracy(count, top_k=k, average="micro", validate_args=False)
            for k in (1, 5)
            if k < count
        }
        self.confusion = MulticlassConfusionMatrix(count, validate_args=False)
        self.matrix: Tensor | None = None
        self.worst: WorstItems[Mistake] = WorstItems(WORST, floor=0.0)

    def update(self, outputs: Batch, batch: Batch) -> None:
        """Count one batch."""
        logits, label = outputs["logits"].float(), batch["label"]
        for metric in (*self.metrics.values(), self.confusion):
            metric.to(logits.device).update(logits, label)
        self._keep_worst(logits, batch["image"], label)

    def compute(self) -> dict[str, float]:
        """Shares in 0..1, over all processes together."""
        self.matrix = self.confusion.compute().cpu()
        return {name: float(metric.compute()) for name, metric in self.metrics.items()}

    def pictures(self, folder: Path) -> list[Path]:
        """confusion.png, and mistakes.png with the worst this process saw, if any; after `compute`."""
        if self.matrix is None:
            raise RuntimeError("pictures of metrics that were never computed")
        files = [save(confusion_chart(self.matrix.numpy(), self.classes), folder / "confusion.png")]
        if self.worst.rows:
            titles = [
                f"{self.classes[mistake.label]}\nread as {self.classes[mistake.answer]} ({mistake.probability:.0%})"
                for _, mistake in self.worst.rows
            ]
            images = [mistake.image.permute(1, 2, 0).numpy() for _, mistake in self.worst.rows]
            files.append(save(wall(images, titles), folder / "mistakes.png"))
        return files

    def _keep_worst(self, logits: Tensor, images: Tensor, label: Tensor) -> None:
        losses = F.cross_entropy(logits, label, reduction="none")
        answers = logits.argmax(1)
        losses = torch.where(answers == label, -1.0, losses)

        def mistake(index: int) -> Mistake:
            answer = int(answers[index])
            return Mistake(images[index].cpu(), int(label[index]), answer, float(logits[index].softmax(0)[answer]))

        self.worst.add(losses, mistake)
