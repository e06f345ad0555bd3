"""The small residual networks: shapes at any size, the parameters of the papers, the shortcut without parameters."""

from __future__ import annotations

import pytest
import torch

from tests.plugins.test_small_families import SIZES, build
from zoo.registry.catalog import Catalog
from zoo_resnet.model import PadShortcut

NAMES = ("resnet8", "resnet20", "resnet32", "resnet56")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_it_gives_a_score_per_class_at_any_size(name: str, channels: int, size: tuple[int, int]) -> None:
    model = build(name, size=size, channels=channels).eval()
    assert model(torch.rand(2, channels, *size)).shape == (2, 4)


@pytest.mark.parametrize("name", NAMES)
def test_the_card_states_the_parameters_and_each_learns(name: str) -> None:
    model = build(name, size=(28, 28), channels=1, classes=10)
    assert sum(parameter.numel() for parameter in model.parameters()) == Catalog.discover().model(name).spec.parameters
    model(torch.rand(4, 1, 28, 28)).square().mean().backward()
    assert [key for key, value in model.named_parameters() if value.grad is None or not value.grad.any()] == []


def test_the_papers_say_the_same_of_pictures_in_colour() -> None:
    counts = {
        name: sum(p.numel() for p in build(name, size=(32, 32), channels=3, classes=10).parameters()) for name in NAMES
    }
    assert counts["resnet8"] == pytest.approx(78_000, rel=0.01)  # MLPerf Tiny counts a bias at every convolution
    assert [round(counts[name] / 1e6, 2) for name in NAMES[1:]] == [0.27, 0.46, 0.85]  # He et al., table 6


def test_a_shortcut_without_parameters_keeps_every_second_pixel_and_adds_zeros() -> None:
    images = torch.arange(2 * 2 * 3 * 3, dtype=torch.float32).reshape(2, 2, 3, 3)
    features = PadShortcut(2, 5)(images)
    assert features.shape == (2, 5, 2, 2)
    assert torch.equal(features[:, 1:3], images[:, :, ::2, ::2])
    assert not features[:, 0].any() and not features[:, 3:].any()
    assert list(PadShortcut(2, 5).parameters()) == []
