"""Sums over the batches of a split, beside torchmetrics, which has other code for the same definitions."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
    MulticlassJaccardIndex,
)

from zoo.data.split_sums import ConfusionMatrix, SplitSums, accuracy, joined_processes, macro_f1, mean_overlap
from zoo.tasks.image_classification.metrics import ClassificationMetrics

CLASSES = 12
PROCESS = """
import json, sys
from pathlib import Path
import torch
from torch import distributed
from zoo.data.split_sums import ConfusionMatrix, SplitSums, joined_processes
rank, folder = int(sys.argv[1]), Path(sys.argv[2])
distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
sums, matrix = SplitSums(), ConfusionMatrix(2)
sums.add(right=rank, items=2)
matrix.add(torch.tensor([0, 1]), torch.tensor([rank, 1]))
rows = joined_processes(torch.full((rank + 1, 2), float(rank)))
for _ in range(2):  # asking again changes nothing
    found = [sums.ratio("right", "items"), matrix.total().tolist(), rows.tolist()]
(folder / str(rank)).write_text(json.dumps(found))
distributed.destroy_process_group()
"""


@pytest.fixture
def batches() -> list[tuple[Tensor, Tensor]]:
    """Logits and labels of three batches; the data and the answers never show the last two classes."""
    generator = torch.Generator().manual_seed(0)
    drawn = []
    for count in (40, 40, 7):
        logits = torch.randn(count, CLASSES, generator=generator)
        logits[:, -2:] = -9.0
        drawn.append((logits, torch.randint(0, CLASSES - 2, (count,), generator=generator)))
    return drawn


def test_the_metrics_of_classes_are_those_of_torchmetrics(batches: list[tuple[Tensor, Tensor]]) -> None:
    matrix = ConfusionMatrix(CLASSES)
    peers = [
        MulticlassConfusionMatrix(CLASSES),
        MulticlassAccuracy(CLASSES, average="micro"),
        MulticlassF1Score(CLASSES, average="macro"),
        MulticlassJaccardIndex(CLASSES),
    ]
    for logits, label in batches:
        matrix.add(label, logits.argmax(1))
        for peer in peers:
            peer.update(logits, label)
    total = matrix.total()
    expected, *numbers = (peer.compute() for peer in peers)
    assert total.equal(expected) and int(total.sum()) == 87
    actual = [accuracy(total), macro_f1(total), mean_overlap(total)]
    assert actual == pytest.approx([float(number) for number in numbers], rel=1e-6)


def test_top1_and_top5_are_those_of_torchmetrics(batches: list[tuple[Tensor, Tensor]]) -> None:
    metrics = ClassificationMetrics([str(index) for index in range(CLASSES)])
    peers = {f"top{k}": MulticlassAccuracy(CLASSES, top_k=k, average="micro") for k in (1, 5)}
    for logits, label in batches:
        metrics.update({"logits": logits}, {"label": label, "image": torch.zeros(len(label), 1, 2, 2)})
        for peer in peers.values():
            peer.update(logits, label)
    assert metrics.compute() == pytest.approx({name: float(peer.compute()) for name, peer in peers.items()}, rel=1e-6)


def test_a_share_is_exact_and_one_of_nothing_is_not_measurable() -> None:
    sums = SplitSums()
    assert math.isnan(sums.ratio("right", "items"))
    sums.add(right=1, items=2)
    sums.add(right=torch.tensor(1), items=torch.tensor(8))
    assert sums.ratio("right", "items") == 0.2
    assert all(math.isnan(measure(torch.zeros(3, 3))) for measure in (accuracy, macro_f1, mean_overlap))


def test_small_numbers_are_not_lost_beside_large_ones() -> None:
    sums = SplitSums()
    for value in (2.0**25, 1.0, 1.0):
        sums.add(nats=torch.tensor(value))
    assert float(sums.total("nats")) == 2.0**25 + 2


def test_one_process_joins_its_own_rows() -> None:
    rows = torch.arange(6).view(3, 2)
    assert joined_processes(rows).equal(rows)


def test_two_processes_sum_and_join_what_each_of_them_saw(tmp_path: Path) -> None:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(rank), str(tmp_path)], env=os.environ | {"PYTHONPATH": path}
        )
        for rank in range(2)
    ]
    assert [process.wait(timeout=240) for process in started] == [0, 0]
    for rank in range(2):
        found = json.loads((tmp_path / str(rank)).read_text())
        assert found == [0.25, [[1, 1], [0, 2]], [[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]]
