"""Accuracy, the confusion matrix and the worst mistakes of a classifier.  [torch]"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from zoo.data.charts import confusion_chart, save, save_table, short_name, wall
from zoo.data.split_sums import ConfusionMatrix, SplitSums
from zoo.data.uncertainty import CLASS_HEADER, Calibration, CalibrationTable, class_rows, wilson
from zoo.tasks.bases.mean_metrics import WorstItems
from zoo.tasks.image_classification.task import ranks

if TYPE_CHECKING:
    from zoo.api.task import Batch

WORST: Final = 16
"""Mistakes that are drawn."""
LISTED: Final = 100
"""Mistakes that are listed."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A picture, uint8 [channels, h, w], and what it was taken for."""

    name: str
    """Of the file, or where else the picture comes from."""
    image: Tensor
    label: int
    answer: int
    probability: float


class ClassificationMetrics:
    """`outputs["logits"]` against `batch["label"]`: top1, and top5 from ten classes on."""

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = classes
        self.ranks = ranks(len(classes))
        self.right = SplitSums()
        self.confusion = ConfusionMatrix(len(classes))
        self.calibration = Calibration()
        self.matrix: Tensor | None = None
        self.calibrated: CalibrationTable
        self.worst: WorstItems[Mistake] = WorstItems(LISTED, floor=0.0)

    def update(self, outputs: Batch, batch: Batch) -> None:
        """Count one batch."""
        logits, label = outputs["logits"].float(), batch["label"]
        hits = logits.topk(max(self.ranks, default=1)).indices == label[:, None]
        self.right.add(items=len(label), **{f"top{k}": hits[:, :k].sum() for k in self.ranks})
        self.confusion.add(label, logits.argmax(1))
        self.calibration.add(logits, label)
        self._keep_worst(logits, batch, label)

    def compute(self) -> dict[str, float]:
        """Shares in 0..1, over all processes together."""
        self.matrix, self.calibrated = self.confusion.total(), self.calibration.total()
        return {f"top{k}": self.right.ratio(f"top{k}", "items") for k in self.ranks}

    def intervals(self) -> dict[str, tuple[float, float]]:
        """The 95 % interval of each metric; after `compute`, and on every process alike."""
        items = float(self.right.total("items"))
        return {f"top{k}": wilson(float(self.right.total(f"top{k}")), items) for k in self.ranks}

    def calibration_error(self) -> float:
        """The expected calibration error; after `compute`."""
        return self.calibrated.error()

    def pictures(self, folder: Path) -> list[Path]:
        """confusion.png, classes.csv, calibration.png and .csv, mistakes.png and .csv with this process's worst."""
        if self.matrix is None:
            raise RuntimeError("pictures of metrics that were never computed")
        matrix = self.matrix.numpy()
        files = [
            save(confusion_chart(matrix, self.classes), folder / "confusion.png"),
            save_table(folder / "classes.csv", CLASS_HEADER, class_rows(self.matrix, self.classes)),
            *self.calibrated.files(folder),
        ]
        if self.worst.rows:
            mistakes = [mistake for _, mistake in self.worst.rows]
            drawn = mistakes[:WORST]
            titles = [
                f"{short_name(mistake.name)}\n{self.classes[mistake.label]}\n"
                f"read as {self.classes[mistake.answer]} ({mistake.probability:.0%})"
                for mistake in drawn
            ]
            images = [mistake.image.permute(1, 2, 0).numpy() for mistake in drawn]
            files.append(save(wall(images, titles), folder / "mistakes.png"))
            rows = [
                (mistake.name, self.classes[mistake.label], self.classes[mistake.answer], f"{mistake.probability:.4f}")
                for mistake in mistakes
            ]
            files.append(save_table(folder / "mistakes.csv", ("file", "truth", "answer", "probability"), rows))
        return files

    def _keep_worst(self, logits: Tensor, batch: Batch, label: Tensor) -> None:
        losses = F.cross_entropy(logits, label, reduction="none")
        answers = logits.argmax(1)
        losses = torch.where(answers == label, -1.0, losses)
        names = batch.get("name")

        def mistake(index: int) -> Mistake:
            answer = int(answers[index])
            probability = float(logits[index].softmax(0)[answer])
            name = names[index] if names else ""
            return Mistake(name, batch["image"][index].cpu(), int(label[index]), answer, probability)

        self.worst.add(losses, mistake)
