"""Which operators a call runs, under names that say what they do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.api.task import Port, Signature
from zoo_export.reference.call_sites import operators

PORT = Port(name="image", dtype="float32", shape=("batch", 3, 4, 4))
SIGNATURE = Signature(inputs=(PORT,), outputs=(Port(name="image", dtype="float32", shape=("batch", 3, 4, 4)),))


class Net(nn.Module):
    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, image: Tensor) -> Tensor:
        normed: Tensor = self.norm(image * 2)
        return normed


class NormedWeight(nn.Module):
    """A convolution whose weight is normalised in every call (Qiao et al. 2019)."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 3, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        flat = self.weight.reshape(1, 3, -1)
        return F.conv2d(image, F.batch_norm(flat, None, None, training=True).reshape_as(self.weight))


@pytest.mark.parametrize(
    ("module", "is_over_items"),
    [(nn.BatchNorm2d(3), False), (nn.BatchNorm2d(3, track_running_stats=False), True), (NormedWeight(), False)],
    ids=["running", "batch", "weight"],
)
def test_batch_norm_is_told_apart_from_one_with_the_statistics_of_the_batch(
    module: nn.Module, is_over_items: bool
) -> None:
    inputs = {"image": np.random.default_rng(0).normal(size=(2, 3, 4, 4)).astype(np.float32)}
    names = operators(Net(module).eval(), inputs, SIGNATURE)
    assert bool({"native_batch_norm", "_native_batch_norm_legit"} & {*names}) is is_over_items
