"""What a metric sums over the batches of a split, and over all processes when it is computed.  [torch]

Sums are kept in double precision in main memory.  A metric library would bring all its metrics with every one of
them, and with those what they may need: four seconds before the first picture is measured.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, distributed


class SplitSums:
    """Named sums of numbers or arrays, each in float64."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}

    def add(self, **values: Tensor | float) -> None:
        """Add these values; under one name always of one shape."""
        for name, value in values.items():
            number = torch.as_tensor(value).detach().cpu().double()
            self._sums[name] = self._sums[name] + number if name in self._sums else number

    def __contains__(self, name: object) -> bool:
        return name in self._sums

    def total(self, name: str) -> Tensor:
        """The sum over all processes, float64; 0 where nothing was added."""
        return over_processes(self._sums.get(name, torch.zeros((), dtype=torch.float64)))

    def ratio(self, name: str, by: str) -> float:
        """One sum over another; NaN where that is 0."""
        part, whole = float(self.total(name)), float(self.total(by))
        return part / whole if whole else math.nan


class ConfusionMatrix:
    """How often items of each class (rows) were taken for each class (columns)."""

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self._counts = torch.zeros(classes * classes, dtype=torch.int64)

    def add(self, label: Tensor, answer: Tensor) -> None:
        """Indices of the true and the answered classes, int64 of one shape."""
        cells = label.flatten() * self.classes + answer.flatten()
        self._counts += torch.bincount(cells, minlength=self.classes**2).cpu()

    def total(self) -> Tensor:
        """int64 [classes, classes] over all processes."""
        return over_processes(self._counts).view(self.classes, self.classes)


def accuracy(matrix: Tensor) -> float:
    """The share of items that got their own class; NaN without items."""
    items = int(matrix.sum())
    return int(matrix.diagonal().sum()) / items if items else math.nan


def macro_f1(matrix: Tensor) -> float:
    """F1 averaged over the classes that the data or the answers show; NaN where there are none."""
    right, both = matrix.diagonal().double(), (matrix.sum(0) + matrix.sum(1)).double()
    return float((2 * right / both)[both > 0].mean())


def mean_overlap(matrix: Tensor) -> float:
    """Intersection over union averaged over the classes that the data or the answers show; NaN where there are none."""
    right = matrix.diagonal().double()
    union = matrix.sum(0) + matrix.sum(1) - right
    return float((right / union)[union > 0].mean())


def over_processes(value: Tensor) -> Tensor:
    """The sum of a tensor over all processes, in main memory."""
    if not _several():
        return value
    total = value.to(_device(), copy=True)
    distributed.all_reduce(total)
    return total.cpu()


def joined_processes(rows: Tensor) -> Tensor:
    """The rows of all processes, [rows of all, ...] in main memory; each process may have any number of them."""
    if not _several():
        return rows.cpu()
    world, device = distributed.get_world_size(), _device()
    counts = [torch.zeros(1, dtype=torch.int64, device=device) for _ in range(world)]
    distributed.all_gather(counts, torch.tensor([len(rows)], dtype=torch.int64, device=device))
    most = max(int(count) for count in counts)
    padded = rows.new_zeros((most, *rows.shape[1:]), device=device)
    padded[: len(rows)] = rows
    parts = [torch.empty_like(padded) for _ in range(world)]
    distributed.all_gather(parts, padded)
    return torch.cat([part[: int(count)] for part, count in zip(parts, counts, strict=True)]).cpu()


def _several() -> bool:
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1


def _device() -> str:
    """Where the processes exchange tensors."""
    return "cuda" if distributed.get_backend() == "nccl" else "cpu"
