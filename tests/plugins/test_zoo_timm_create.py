"""`zoo.create_model` gives what `timm.create_model` gives for the same arguments."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch
from torch import nn

import zoo
from zoo.api.errors import UsageError


def shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        ("vit_tiny_patch16_224", {"global_pool": "avg"}),  # with fc_norm in the place of norm
        ("vit_tiny_patch16_224", {"global_pool": "map"}),  # with a pool that has parameters
        ("test_resnet", {"global_pool": "max"}),
        ("test_vit", {"in_chans": 1}),
        ("crossvit_tiny_240", {"in_chans": 1}),  # two convolutions read the picture
        ("test_convnext", {"num_classes": 0}),
        ("levit_128s", {"num_classes": 0}),  # its head holds a norm
    ],
)
def test_the_parameters_are_those_of_timm(name: str, keywords: dict[str, Any]) -> None:
    asked = {"num_classes": 7} | keywords
    assert shapes(zoo.create_model(f"timm/{name}", seed=0, **asked)) == shapes(timm.create_model(name, **asked))


@pytest.mark.parametrize(
    "name",
    ["test_resnet", "test_efficientnet", "test_convnext", "test_vit", "swin_tiny_patch4_window7_224", "pit_ti_224"],
)
def test_feature_maps_are_those_of_timm(name: str) -> None:
    mine: Any = zoo.create_model(f"timm/{name}", features_only=True, seed=0).eval()
    expected: Any = timm.create_model(name, features_only=True).eval()
    assert isinstance(mine, zoo.FeatureMaps)
    expected.load_state_dict(mine.model.state_dict())
    config = timm.get_pretrained_cfg(name)
    assert config is not None
    image = torch.rand(1, 3, *config.input_size[1:])
    maps = expected(image)
    if name.startswith("swin"):
        maps = [each.permute(0, 3, 1, 2) for each in maps]
    assert all(torch.equal(a, b) for a, b in zip(mine(image), maps, strict=True))
    assert list(mine.channels) == expected.feature_info.channels() == [each.shape[1] for each in maps]
    assert list(mine.reductions) == expected.feature_info.reduction()


def test_feature_maps_have_the_parameters_of_the_network() -> None:
    network = zoo.create_model("test_resnet", seed=3).eval()
    maps = zoo.create_model("test_resnet", seed=3, features_only=True).eval()
    image, kept = torch.rand(1, 3, 160, 160), []
    network.get_submodule("layer4").register_forward_hook(lambda _, __, output: kept.append(output))
    network(image)
    assert torch.equal(maps(image)[-1], kept[0])


def test_feature_maps_keep_the_rate_of_dropout_and_leave_random_numbers_alone() -> None:
    torch.manual_seed(5)
    state = torch.get_rng_state()
    maps = zoo.create_model("test_vit", features_only=True, drop_rate=0.25, seed=0)
    assert torch.equal(torch.get_rng_state(), state)
    rates = {part.p for part in maps.modules() if isinstance(part, nn.Dropout)}
    assert 0.25 in rates


def test_channels_of_weights_are_adapted_in_every_filter_that_reads_the_picture(tmp_path: Any) -> None:
    start = zoo.create_model("timm/crossvit_tiny_240", num_classes=2, seed=0)
    torch.save(start.state_dict(), tmp_path / "start.pt")
    grey = zoo.create_model("timm/crossvit_tiny_240", num_classes=2, weights=tmp_path / "start.pt", in_chans=1)
    for branch in ("patch_embed.0.proj.weight", "patch_embed.1.proj.weight"):
        assert torch.equal(grey.state_dict()[branch], start.state_dict()[branch].sum(1, keepdim=True))
    assert torch.equal(grey.state_dict()["cls_token_0"], start.state_dict()["cls_token_0"])


def test_what_an_architecture_has_not_is_one_sentence() -> None:
    with pytest.raises(UsageError, match=r"timm/csatv2 cannot read 1 channels"):
        zoo.create_model("csatv2", num_classes=2, in_chans=1)
    with pytest.raises(UsageError, match=r"timm/test_vit has no global_pool 'median'"):
        zoo.create_model("test_vit", num_classes=2, global_pool="median")


def test_without_a_number_the_classes_are_those_of_the_default_weights() -> None:
    model: Any = zoo.create_model("beit_base_patch16_224", seed=0)
    assert model.head.out_features == 1000  # its first set has 21,841
