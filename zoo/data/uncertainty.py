"""How sure a number measured on so many items is: 95 % intervals, and the calibration of probabilities.  [torch]"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from zoo.data.charts import new_figure, save, save_table
from zoo.data.split_sums import over_processes

Z: Final = 1.959964
"""Standard deviations of a normal distribution that hold 95 % of it."""
RESAMPLES: Final = 1000
BINS: Final = 15
"""As in Guo et al., "On Calibration of Modern Neural Networks", 2017."""


def wilson(right: float, items: float) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927); (0, 1) without items."""
    if not items:
        return 0.0, 1.0
    share, spread = right / items, Z**2 / items
    middle = (share + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(share * (1 - share) / items + spread / (4 * items))
    return max(0.0, middle - half), min(1.0, middle + half)


def mean_interval(total: float, squares: float, items: float) -> tuple[float, float]:
    """The 95 % interval of a mean of independent items, by their sum and the sum of their squares."""
    if items < 2:
        return math.nan, math.nan
    mean = total / items
    deviation = math.sqrt(max(squares / items - mean**2, 0.0) * items / (items - 1))
    return mean - Z * deviation / math.sqrt(items), mean + Z * deviation / math.sqrt(items)


def bootstrap(matrix: Tensor, metric: Callable[[Tensor], float]) -> tuple[float, float]:
    """The 95 % interval of a metric of a confusion matrix: items drawn anew 1,000 times, always the same draws."""
    items = int(matrix.sum())
    if not items:
        return math.nan, math.nan
    cells = matrix.flatten().numpy()
    (filled,) = cells.nonzero()
    draws = np.random.default_rng(0).multinomial(items, cells[filled] / items, size=RESAMPLES)
    scores = []
    for draw in draws:
        drawn = np.zeros_like(cells)
        drawn[filled] = draw
        scores.append(metric(torch.from_numpy(drawn).view_as(matrix)))
    low, high = np.quantile(scores, (0.025, 0.975))
    return float(low), float(high)


class Calibration:
    """Whether answers of probability p are right in a share p of cases: 15 equal bins of the largest probability."""

    def __init__(self) -> None:
        self._bins = torch.zeros(3, BINS, dtype=torch.float64)

    def add(self, logits: Tensor, label: Tensor) -> None:
        """Count one batch: float [n, classes], int64 [n]."""
        confidence, answer = logits.float().softmax(1).max(1)
        values = torch.stack([torch.ones_like(confidence), confidence, (answer == label).float()]).double().cpu()
        index = (confidence * BINS).ceil().long().sub_(1).clamp_(0, BINS - 1).cpu()
        self._bins.index_add_(1, index, values)

    def total(self) -> CalibrationTable:
        """All that was counted, over all processes together."""
        return CalibrationTable(over_processes(self._bins))


class CalibrationTable:
    """Items, mean probability and share of right answers in every bin."""

    def __init__(self, bins: Tensor) -> None:
        items, confidence, right = bins
        self.items = items
        self.confidence = confidence / items.clamp(min=1)
        self.right = right / items.clamp(min=1)

    def error(self) -> float:
        """The expected calibration error: the mean distance of probability and share, by items; NaN without items."""
        items = self.items.sum()
        distance = (self.confidence - self.right).abs()
        return float((self.items * distance).sum() / items) if items else math.nan

    def files(self, folder: Path) -> list[Path]:
        """calibration.png and calibration.csv."""
        rows = [
            (
                f"{index / BINS:.3f} to {(index + 1) / BINS:.3f}",
                str(int(items)),
                f"{float(self.confidence[index]):.4f}",
                f"{float(self.right[index]):.4f}",
            )
            for index, items in enumerate(self.items.tolist())
            if items
        ]
        header = ("probability", "items", "mean probability", "right")
        return [self._chart(folder / "calibration.png"), save_table(folder / "calibration.csv", header, rows)]

    def _chart(self, file: Path) -> Path:
        figure = new_figure(4.2, 3.6, layout="constrained")
        axes = figure.subplots()
        shown = self.items > 0
        axes.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle="--", label="calibrated")
        axes.bar(
            [(index + 0.5) / BINS for index in range(BINS)],
            self.right.tolist(),
            width=0.9 / BINS,
            alpha=0.35,
            label="share of right answers",
        )
        axes.plot(self.confidence[shown].tolist(), self.right[shown].tolist(), marker="o", markersize=4, linestyle="")
        axes.set_xlabel("probability of the answer", fontsize=9)
        axes.set_ylabel("share of right answers", fontsize=9)
        axes.set_title(f"expected calibration error {self.error():.4f}", fontsize=10)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.legend(fontsize=8)
        return save(figure, file)


def class_rows(matrix: Tensor, classes: Sequence[str]) -> list[tuple[str, ...]]:
    """Name, items, recall with its interval, and precision of every class; empty where nothing can be divided by."""
    right, items, answered = (matrix.diagonal().tolist(), matrix.sum(1).tolist(), matrix.sum(0).tolist())
    rows: list[tuple[str, ...]] = []
    for index, name in enumerate(classes):
        low, high = wilson(right[index], items[index])
        interval = f"{low:.4f} to {high:.4f}" if items[index] else ""
        recall, precision = (_share(right[index], whole[index]) for whole in (items, answered))
        rows.append((name, str(items[index]), recall, interval, precision))
    return rows


CLASS_HEADER: Final = ("class", "items", "recall", "95 % interval", "precision")


def _share(part: int, whole: int) -> str:
    """A share as text; empty where there is nothing to divide by."""
    return f"{part / whole:.4f}" if whole else ""
