"""Means over items, and the worst items with their pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from zoo import Batch, MeanMetrics
from zoo.tasks.bases.mean_metrics import WorstItems


class Errors(MeanMetrics):
    """error [n, 2] and its square [n]."""

    names = ("error", "square")
    worst_by = "error"
    kept = 2

    def values(self, outputs: Batch, batch: Batch) -> Mapping[str, Tensor]:
        """Of every number, and of every item."""
        error = (outputs["value"] - batch["value"]).abs()
        return {"error": error, "square": (error**2).sum(1)}

    def drawn(self, outputs: Batch, item: Batch) -> Image.Image:
        """A square whose grey is ten times the answer."""
        assert set(item) == {"value"}, "what is no tensor has no row"
        return Image.new("L", (4, 4), int(10 * outputs["value"][0]))


def test_a_mean_is_over_all_values_of_all_batches(tmp_path: Path) -> None:
    metrics = Errors()
    zeros = torch.zeros(2, 2)
    metrics.update({"value": torch.tensor([[1.0, 2.0], [3.0, 4.0]])}, {"value": zeros, "name": ["a", "b"]})
    metrics.update({"value": torch.tensor([[5.0, 0.0]])}, {"value": zeros[:1], "name": ["c"]})
    assert metrics.compute() == {"error": pytest.approx(15 / 6), "square": pytest.approx((5 + 25 + 25) / 3)}
    (path,) = metrics.pictures(tmp_path)
    with Image.open(path) as sheet:
        assert sheet.size == (4 + 4 + 4, 4)
        assert [sheet.convert("L").getpixel((x, 1)) for x in (1, 9)] == [50, 30], "the worst by its largest error"


def test_without_worst_by_there_is_no_picture(tmp_path: Path) -> None:
    class Plain(Errors):
        worst_by = ""

    metrics = Plain()
    metrics.update({"value": torch.ones(1, 2)}, {"value": torch.zeros(1, 2)})
    assert metrics.pictures(tmp_path) == []


def test_the_worst_stay_above_their_floor_and_below_their_number() -> None:
    worst: WorstItems[str] = WorstItems(2, floor=0.0)
    worst.add(torch.tensor([0.5, -1.0, 0.0]), lambda index: f"first {index}")
    assert worst.rows == [(0.5, "first 0")]
    worst.add(torch.tensor([2.0, 0.25, 3.0]), lambda index: f"second {index}")
    assert worst.rows == [(3.0, "second 2"), (2.0, "second 0")]
    worst.add(torch.tensor([2.5]), lambda index: f"third {index}")
    assert [item for _, item in worst.rows] == ["second 2", "third 0"]
