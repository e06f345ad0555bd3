"""U-Net: a score per pixel at any size, the parameters of the published size, features taken over at every stride."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zoo.registry.catalog import Catalog
from zoo_unet.model import doubling, unet, unet_tiny


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


def test_the_small_size_begins_with_every_second_pixel_and_the_published_one_with_all() -> None:
    with torch.device("meta"):
        small, published = (build(channels=1, num_classes=3) for build in (unet_tiny, unet))
    image = torch.empty(1, 1, 32, 48, device="meta")
    assert small.down[0](image).shape == (1, 16, 16, 24)
    assert published.down[0](image).shape == (1, 64, 32, 48)
    assert [stage.shortcut is None for stage in published.up] == [True] * 4


def test_the_scores_of_the_small_size_are_enlarged_bilinearly_at_first() -> None:
    scores = torch.rand(1, 3, 6, 5)
    expected = nn.functional.interpolate(scores, scale_factor=2, mode="bilinear", align_corners=False)
    assert torch.allclose(doubling(3)(scores)[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1], atol=1e-6)


@pytest.mark.slow
def test_the_small_size_leaves_the_background_within_a_few_steps() -> None:
    """Two squares of one size on noise: which of them it is, is learnt and not only where."""
    torch.manual_seed(0)
    model = unet_tiny(channels=1, num_classes=3)
    images, masks = torch.rand(8, 1, 32, 32) * 0.3, torch.zeros(8, 32, 32, dtype=torch.long)
    for index in range(8):
        kind, left = 1 + index % 2, 2 * index
        images[index, 0, 8:16, left : left + 8] = 1.0
        images[index, 0, 11:13, left + 3 : left + 5] = 1.0 if kind == 1 else 0.3  # a hole
        masks[index, 8:16, left : left + 8] = kind
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(60):
        loss = nn.functional.cross_entropy(model(images), masks)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    right = model(images).argmax(1)[masks > 0] == masks[masks > 0]
    assert float(right.float().mean()) > 0.9
