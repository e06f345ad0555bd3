"""U-Net: a score per pixel at any size, the parameters of the published size, features taken over at every stride."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zoo.registry.catalog import Catalog
from zoo_unet.model import unet, unet_tiny


@pytest.mark.parametrize("size", [(96, 96), (43, 58), (17, 16), (9, 31)])
@pytest.mark.parametrize("channels", [1, 3])
def test_it_scores_every_pixel_at_any_size(channels: int, size: tuple[int, int]) -> None:
    assert unet_tiny(channels=channels, num_classes=7)(torch.rand(2, channels, *size)).shape == (2, 7, *size)


@pytest.mark.parametrize(("name", "classes"), [("unet_tiny", 11), ("unet", 21)])
def test_the_card_states_the_parameters(name: str, classes: int) -> None:
    with torch.device("meta"):
        model = {"unet": unet, "unet_tiny": unet_tiny}[name](channels=3, num_classes=classes)
    assert sum(parameter.numel() for parameter in model.parameters()) == Catalog.discover().model(name).spec.parameters


def test_the_published_size_is_that_of_the_paper() -> None:
    """The paper's figure 1 counted by hand, with biases; a batch norm has two numbers a channel instead of one."""
    down = [(1, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
    bottom = [(512, 1024), (1024, 1024)]
    up = [(1024, 512), (512, 512), (512, 256), (256, 256), (256, 128), (128, 128), (128, 64), (64, 64)]
    convolutions = sum(9 * before * after + after for before, after in [*down, *bottom, *up])
    enlarged = sum(4 * 2 * after * after + after for after in (512, 256, 128, 64))
    with torch.device("meta"):
        model = unet(channels=1, num_classes=2)
    norms = sum(module.num_features for module in model.modules() if isinstance(module, nn.BatchNorm2d))
    head = 64 * 2 + 2
    count = sum(parameter.numel() for parameter in model.parameters())
    assert count - norms == convolutions + enlarged + head == 31_030_658


def test_every_stride_hands_its_features_over() -> None:
    torch.manual_seed(0)
    model = unet_tiny(channels=1, num_classes=3).eval()
    images = torch.rand(1, 1, 32, 32)
    whole = model(images)
    for stage in model.up:
        weight = stage.get_parameter("conv.0.weight")
        kept = weight.detach().clone()
        with torch.no_grad():
            weight[:, : weight.shape[1] // 2] = 0  # the half that reads the way down
        assert not torch.allclose(model(images), whole)
        weight.data = kept


def test_each_parameter_learns() -> None:
    model = unet_tiny(channels=1, num_classes=3)
    model(torch.rand(2, 1, 24, 24)).square().mean().backward()
    assert [key for key, value in model.named_parameters() if value.grad is None or not value.grad.any()] == []
