"""What a detector reaches class by class, and in which pictures it is wrong: numbers, a chart, tables.  [torch]"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torchvision.ops import box_iou

from zoo.data.charts import new_figure
from zoo.tasks.object_detection.device import THRESHOLD

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OVERLAP: Final = 0.5
"""A box is found where a listed box of its class overlaps it by this share."""
CURVES: Final = 10
"""Classes that have a curve of their own; of more, those with the lowest precision."""
RECALLS: Final = np.linspace(0, 1, 101)
"""At which COCO measures precision."""


@dataclass(frozen=True, slots=True)
class ClassPrecision:
    """One class of which the data have boxes."""

    name: str
    precision: float
    """Mean over overlaps of 0.50 to 0.95."""
    precision_50: float
    """At an overlap of 0.50."""
    curve: npt.NDArray[np.float64]
    """Precision at every recall of `RECALLS`, at an overlap of 0.50."""


@dataclass(frozen=True, slots=True)
class WrongPicture:
    """A picture with boxes that were missed, or found where there are none."""

    name: str
    missed: tuple[str, ...]
    """The class of each true box that no listed box of its class overlaps."""
    extra: tuple[str, ...]
    """The class of each listed box that belongs to no true box."""


def precision_by_class(values: Mapping[str, Any], classes: Sequence[str]) -> list[ClassPrecision]:
    """Of torchmetrics' extended summary: precision [overlaps, recalls, classes, areas, numbers of detections]."""
    if not isinstance(values.get("precision"), Tensor):
        return []
    precision = values["precision"][..., 0, -1].double().numpy()
    rows = []
    for at, label in enumerate(values["classes"].reshape(-1).tolist()):
        found = precision[:, :, at]
        if found.size and (found > -1).all():
            rows.append(ClassPrecision(classes[label], float(found.mean()), float(found[0].mean()), found[0]))
    return rows


def wrong_picture(
    name: str, answer: Mapping[str, Tensor], truth: Mapping[str, Tensor], classes: Sequence[str]
) -> WrongPicture | None:
    """What is wrong with the listed boxes of one picture, the surest matched first; None where nothing is."""
    listed = answer["scores"] >= THRESHOLD
    order = answer["scores"][listed].argsort(descending=True)
    boxes, labels = answer["boxes"][listed][order], answer["labels"][listed][order]
    ignored = truth.get("iscrowd", torch.zeros_like(truth["labels"])).bool()
    overlaps = box_iou(boxes.float(), truth["boxes"].float()) * (labels[:, None] == truth["labels"][None])
    free = ~ignored.clone()
    extra = []
    for row, label in zip(overlaps, labels.tolist(), strict=True):
        candidates = row * free
        if len(row) and float(candidates.max()) >= OVERLAP:
            free[int(candidates.argmax())] = False
        elif not (len(row) and bool(((row > 0) & ignored).any())):
            extra.append(classes[label])
    missed = tuple(classes[label] for label in truth["labels"][free & ~ignored].tolist())
    return WrongPicture(name, missed, tuple(extra)) if missed or extra else None


def curve_chart(rows: Sequence[ClassPrecision]) -> Figure:
    """Precision over recall at an overlap of 0.50: the mean of all classes, and the classes with the lowest."""
    figure = new_figure(5.2, 4, layout="constrained")
    axes = figure.subplots()
    for row in sorted(rows, key=lambda row: row.precision_50)[:CURVES]:
        axes.plot(RECALLS, row.curve, linewidth=1, label=f"{row.name[:18]} {row.precision_50:.2f}")
    mean = np.mean([row.curve for row in rows], axis=0)
    axes.plot(RECALLS, mean, color="black", linewidth=2, label=f"all classes {mean.mean():.2f}")
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, loc="lower left")
    return figure
