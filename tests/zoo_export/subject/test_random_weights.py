"""Weights of an untrained architecture must change its outputs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zoo.api.task import Port, Signature
from zoo.models.outputs import call
from zoo_export.subject import random_weights
from zoo_export.subject.random_weights import randomise

IMAGE = Port(name="image", dtype="float32", shape=("batch", 3, 8, 8))
SIGNATURE = Signature(inputs=(IMAGE,), outputs=(Port(name="y", dtype="float32", shape=("batch", 2)),))
INPUTS = [{"image": np.random.default_rng(seed).normal(3, 2, (1, 3, 8, 8)).astype(np.float32)} for seed in range(8)]


class Fresh(nn.Module):
    """A head of zeros, a layer scale of 1e-6 and a batch norm that no data shaped."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.scale = nn.Parameter(torch.full((4, 1, 1), 1e-6))
        self.head = nn.Linear(4, 2)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, image: Tensor) -> Tensor:
        y: Tensor = self.head((self.bn(self.conv(image)) * self.scale).relu().mean((2, 3)))
        return y


def made(seed: int) -> tuple[Fresh, str]:
    torch.manual_seed(0)
    module = Fresh().eval()
    return module, randomise(module, INPUTS, SIGNATURE, seed=seed)


def test_constant_parameters_are_drawn_and_statistics_measured() -> None:
    module, story = made(5)
    assert story == (
        "random weights (seed 5; 4 constant parameters drawn anew; statistics of 1 batch norms measured on 8 inputs)"
    )
    outputs = np.concatenate([call(module, one, SIGNATURE)["y"] for one in INPUTS])
    assert (outputs.std(0) > 1e-4).all()
    assert not any(part.training for part in module.modules())
    assert module.bn.running_mean is not None
    features = module.conv(torch.from_numpy(np.concatenate([one["image"] for one in INPUTS])))
    torch.testing.assert_close(module.bn.running_mean, features.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)


def test_large_inputs_go_in_parts_of_two_and_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_weights, "MAX_BATCH_ELEMENTS", 3 * 3 * 8 * 8)
    sizes: list[int] = []
    module = Fresh().eval()
    module.conv.register_forward_hook(lambda _, inputs, __: sizes.append(len(inputs[0])))
    randomise(module, INPUTS[:7], SIGNATURE, seed=0)
    assert sizes[:3] == [3, 2, 2]
    assert module.bn.running_mean is not None
    features = module.conv(torch.from_numpy(np.concatenate([one["image"] for one in INPUTS[:7]])))
    parts = [part.mean((0, 2, 3)) for part in features.split([3, 2, 2])]
    torch.testing.assert_close(module.bn.running_mean, torch.stack(parts).mean(0), rtol=1e-4, atol=1e-5)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    first, second, third = made(1)[0], made(1)[0], made(2)[0]
    assert torch.equal(first.head.weight, second.head.weight)
    assert not torch.equal(first.head.weight, third.head.weight)


class Narrow(nn.Module):
    """Weights of 0.02 and scales of 0.02, as some libraries begin with: the input is lost on the way."""

    def __init__(self) -> None:
        super().__init__()
        layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), *(nn.Conv2d(4, 4, 1) for _ in range(4)), nn.Conv2d(4, 2, 6)]
        self.layers = nn.Sequential(*layers)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.02)

    def forward(self, image: Tensor) -> Tensor:
        y: Tensor = self.layers(image).flatten(1)
        return y


def test_a_network_that_forgets_its_input_gets_weights_that_carry_it() -> None:
    torch.manual_seed(0)
    module = Narrow().eval()
    before = np.concatenate([call(module, case, SIGNATURE)["y"] for case in INPUTS])
    assert np.ptp(before, axis=0).max() < 1e-3 * np.abs(before).max()
    story = randomise(module, INPUTS, SIGNATURE, seed=0)
    assert "; 6 weights scaled to one over the root of their inputs)" in story
    after = np.concatenate([call(module, case, SIGNATURE)["y"] for case in INPUTS])
    assert np.ptp(after, axis=0).min() > 0.1 * np.abs(after).max()
