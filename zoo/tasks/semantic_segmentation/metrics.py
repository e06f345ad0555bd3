"""Mean intersection over union and pixel accuracy.  [torch]"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from torch import Tensor

from zoo.api.problem import Problem
from zoo.data.charts import confusion_chart, save, save_table
from zoo.data.formats.masks.masks import IGNORE_INDEX
from zoo.data.image.drawing import tiled
from zoo.data.split_sums import ConfusionMatrix, accuracy, mean_overlap
from zoo.tasks.semantic_segmentation.drawing import beside_truth

if TYPE_CHECKING:
    from zoo.api.task import Batch

SHOWN: Final = 12
LISTED: Final = 100
"""Pictures with the smallest shares of right pixels that are listed."""


class SegmentationMetrics:
    """`outputs["logits"]` [n, classes, h, w] against `batch["mask"]` [n, h, w], at the model's size."""

    def __init__(self, problem: Problem) -> None:
        self.classes = problem.classes
        self.confusion = ConfusionMatrix(len(problem.classes))
        self.matrix: Tensor | None = None
        self.examples: list[tuple[Tensor, Tensor, Tensor]] = []
        self.worst: list[tuple[float, str]] = []

    def update(self, outputs: Batch, batch: Batch) -> None:
        """Count one batch."""
        found, mask = outputs["logits"].argmax(1), batch["mask"].long()
        known = mask != IGNORE_INDEX
        self.confusion.add(mask[known], found[known])
        free = SHOWN - len(self.examples)
        self._keep_worst(found, mask, batch)
        rows = zip(batch["image"][:free], mask[:free], found[:free], strict=True)
        self.examples += [(image.cpu(), truth.cpu(), answer.cpu()) for image, truth, answer in rows]

    def compute(self) -> dict[str, float]:
        """miou (over the classes that the data or the answers show) and pixel_accuracy, over all processes together."""
        self.matrix = self.confusion.total()
        return {"miou": mean_overlap(self.matrix), "pixel_accuracy": accuracy(self.matrix)}

    def pictures(self, folder: Path) -> list[Path]:
        """segmentation.png: the first pictures with what the data and the model say; confusion.png; the table
        of the classes, and that of the pictures with the most wrong pixels."""
        if self.matrix is None:
            raise RuntimeError("pictures of metrics that were never computed")
        rows = [
            beside_truth(image.expand(3, -1, -1).permute(1, 2, 0).numpy(), truth.numpy(), found.numpy())
            for image, truth, found in self.examples
        ]
        files = [
            save(confusion_chart(self.matrix.numpy(), self.classes), folder / "confusion.png"),
            save_table(folder / "classes.csv", ("class", "pixels", "iou"), self._by_class(self.matrix)),
        ]
        if self.worst:
            worst = [(name, f"{share:.4f}") for share, name in self.worst]
            files.append(save_table(folder / "mistakes.csv", ("file", "share of right pixels"), worst))
        if rows:
            path = folder / "segmentation.png"
            tiled(rows).save(path)
            files.insert(0, path)
        return files

    def _by_class(self, matrix: Tensor) -> list[tuple[str, ...]]:
        """Name, pixels and intersection over union of every class; empty where neither side shows it."""
        right, true, said = matrix.diagonal().tolist(), matrix.sum(1).tolist(), matrix.sum(0).tolist()
        unions = [true[at] + said[at] - right[at] for at in range(len(self.classes))]
        return [
            (name, str(true[at]), f"{right[at] / unions[at]:.4f}" if unions[at] else "")
            for at, name in enumerate(self.classes)
        ]

    def _keep_worst(self, found: Tensor, mask: Tensor, batch: Batch) -> None:
        """The names of the pictures with the smallest shares of right pixels, of those with a wrong one."""
        known = mask != IGNORE_INDEX
        right = ((found == mask) & known).flatten(1).sum(1) / known.flatten(1).sum(1)  # NaN where nothing is known
        names = batch.get("name") or [""] * len(mask)
        pairs = zip(right.tolist(), names, strict=True)
        self.worst = sorted([*self.worst, *((share, name) for share, name in pairs if share < 1)])[:LISTED]
