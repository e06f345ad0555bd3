"""The small families: shapes for any size, parameter counts as their cards say, gradients everywhere."""

from __future__ import annotations

import pytest
import torch

from zoo.api.problem import ImageInput, Problem
from zoo.registry.catalog import Catalog

SIZES = [(1, 1), (2, 5), (28, 28), (33, 65)]


def build(name: str, *, size: tuple[int, int], channels: int, classes: int = 4) -> torch.nn.Module:
    catalog = Catalog.discover()
    entry = catalog.model(name)
    problem = Problem(
        task=entry.spec.task,
        input=ImageInput(size=size, channels=channels),
        classes=tuple(f"class {i}" for i in range(classes)) if "num_classes" in entry.spec.needs else (),
    )
    builder = catalog.load(entry, entry.spec.builder)
    assert callable(builder)
    model = builder(**problem.keywords(entry.spec.needs))
    assert isinstance(model, torch.nn.Module)
    return model


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ["cnn", "convnet"])
def test_a_classifier_gives_a_score_per_class_at_any_size(name: str, channels: int, size: tuple[int, int]) -> None:
    model = build(name, size=size, channels=channels).eval()
    assert model(torch.rand(2, channels, *size)).shape == (2, 4)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ["autoencoder", "conv_autoencoder"])
def test_an_autoencoder_gives_back_the_shape_of_its_input(name: str, channels: int, size: tuple[int, int]) -> None:
    model = build(name, size=size, channels=channels).eval()
    assert model(torch.rand(2, channels, *size)).shape == (2, channels, *size)


@pytest.mark.parametrize("name", ["cnn", "convnet", "autoencoder", "conv_autoencoder"])
def test_the_card_states_the_parameters_and_each_learns(name: str) -> None:
    spec = Catalog.discover().model(name).spec
    assert isinstance(spec.input, ImageInput)
    model = build(name, size=spec.input.size, channels=spec.input.channels, classes=10)
    assert sum(parameter.numel() for parameter in model.parameters()) == spec.parameters
    model(torch.rand(4, 1, 28, 28)).square().mean().backward()
    assert [key for key, value in model.named_parameters() if value.grad is None or not value.grad.any()] == []
