"""Metrics that are means over items, and the items that an answer is worst for.  [torch]"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import torch
from torch import Tensor

from zoo.data.image.drawing import tiled
from zoo.data.split_sums import SplitSums
from zoo.data.uncertainty import mean_interval

if TYPE_CHECKING:
    from PIL.Image import Image

    from zoo.api.task import Batch

T = TypeVar("T")


class WorstItems(Generic[T]):
    """The items with the highest scores above a floor, at most `limit`; `rows` begins with the worst."""

    def __init__(self, limit: int, *, floor: float = float("-inf")) -> None:
        self.limit = limit
        self.floor = floor
        self.rows: list[tuple[float, T]] = []

    def add(self, scores: Tensor, item: Callable[[int], T]) -> None:
        """Those of a batch with these scores [n]; `item` makes one, by its index in the batch."""
        values, indices = scores.topk(min(self.limit, len(scores)))
        floor = self.rows[-1][0] if len(self.rows) == self.limit else self.floor
        rows = zip(values.tolist(), indices.tolist(), strict=True)
        self.rows += [(score, item(index)) for score, index in rows if score > floor]
        self.rows = sorted(self.rows, key=lambda row: -row[0])[: self.limit]


class MeanMetrics:
    """The mean of each value that `values` gives, over all items and all processes.

    A task adds `names` and `values`; with `worst_by` and `drawn`, a picture shows the items that are worst.

    Examples:
        >>> class Errors(zoo.MeanMetrics):
        ...     names = ("mae",)
        ...     def values(self, outputs, batch):
        ...         return {"mae": (outputs["values"] - batch["target"]).abs().mean(dim=1)}
    """

    names: ClassVar[tuple[str, ...]]
    """Of the metrics."""
    worst_by: ClassVar[str] = ""
    """The metric by which the worst items are chosen, those with the largest value; empty for no picture."""
    kept: ClassVar[int] = 12
    """How many of the worst are drawn."""

    def __init__(self) -> None:
        self.sums = SplitSums()
        self.counts = SplitSums()
        self.items = SplitSums()
        self.worst: WorstItems[tuple[Batch, Batch]] = WorstItems(self.kept)

    def values(self, outputs: Batch, batch: Batch) -> Mapping[str, Tensor]:
        """The value of each item by metric, [n], or [n, ...] where an item has several."""
        raise NotImplementedError(f"{type(self).__name__} must say values")

    def drawn(self, outputs: Batch, item: Batch) -> Image:
        """A picture of one item: its row of the outputs, and of the batch, both without the first axis."""
        raise NotImplementedError(f"{type(self).__name__} must say drawn, as it names worst_by")

    @torch.no_grad()
    def update(self, outputs: Batch, batch: Batch) -> None:
        """Count one batch."""
        values = self.values(outputs, batch)
        for name in self.names:
            self.sums.add(**{name: values[name].double().sum()})
            self.counts.add(**{name: values[name].numel()})
            means = values[name].double().flatten(1).mean(1) if values[name].ndim > 1 else values[name].double()
            squares, count = means.square().sum(), float(len(means))
            self.items.add(**{name: torch.stack([means.sum().cpu(), squares.cpu(), torch.tensor(count)])})
        if self.worst_by:
            worst = (
                values[self.worst_by].flatten(1).amax(1) if values[self.worst_by].ndim > 1 else values[self.worst_by]
            )
            self.worst.add(worst, lambda index: (_row(outputs, index), _row(batch, index)))

    def compute(self) -> dict[str, float]:
        """The means, over all processes together."""
        return {name: float(self.sums.total(name) / self.counts.total(name)) for name in self.names}

    def intervals(self) -> dict[str, tuple[float, float]]:
        """The 95 % interval of each mean, over items that are taken to be independent."""
        found = {name: mean_interval(*self.items.total(name).tolist()) for name in self.names}
        return {name: interval for name, interval in found.items() if isfinite(interval[0])}

    def pictures(self, folder: Path) -> list[Path]:
        """worst.png, where `worst_by` names a metric: the worst that this process saw."""
        if not self.worst.rows:
            return []
        tiled([self.drawn(*rows) for _, rows in self.worst.rows]).save(folder / "worst.png")
        return [folder / "worst.png"]


def _row(batch: Batch, index: int) -> Batch:
    return {name: value[index].cpu() for name, value in batch.items() if isinstance(value, Tensor)}
