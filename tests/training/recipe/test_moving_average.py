"""The average of weights, number by number."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zoo.training.recipe.moving_average import MovingAverage


def test_the_average_follows_with_its_decay() -> None:
    module = nn.Linear(1, 1, bias=False)
    nn.init.constant_(module.weight, 0.0)
    average = MovingAverage(module, decay=0.2)
    expected = 0.0
    for update, value in enumerate((1.0, 2.0, 4.0), start=1):
        nn.init.constant_(module.weight, value)
        average.update()
        decay = min(0.2, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * value
        assert float(average.module.weight) == pytest.approx(expected)  # type: ignore[arg-type]
    assert float(module.weight.detach()) == 4.0


def test_statistics_are_averaged_and_counters_copied() -> None:
    module = nn.BatchNorm1d(2)
    average = MovingAverage(module, decay=0.9)
    module(torch.tensor([[1.0, 2.0], [3.0, 6.0]]))
    average.update()
    assert isinstance(average.module, nn.BatchNorm1d)
    assert average.module.running_mean is not None and module.running_mean is not None
    torch.testing.assert_close(average.module.running_mean, module.running_mean * (1 - 2 / 11))
    assert int(average.module.num_batches_tracked or 0) == 0
    averaged = average.averaged()
    assert isinstance(averaged, nn.BatchNorm1d) and int(averaged.num_batches_tracked or 0) == 1


def test_tied_weights_are_averaged_once() -> None:
    module = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    module[1].weight = module[0].weight
    nn.init.zeros_(module[0].weight)  # type: ignore[arg-type]
    average = MovingAverage(module, decay=0.1)
    nn.init.ones_(module[0].weight)  # type: ignore[arg-type]
    average.update()
    torch.testing.assert_close(average.module.state_dict()["1.weight"], torch.full((2, 2), 0.9))
