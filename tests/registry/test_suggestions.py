"""Which names a misspelt one may mean."""

from __future__ import annotations

import pytest

from zoo.registry.suggestions import close_names

NAMES = {
    "mobilenet_v2": 0,
    "mobilenet_v3_large": 0,
    "mobilenet_v3_small": 0,
    "mobilenetv2_035": 1,
    "mobilenetv3_rw": 1,
    "resnet": 0,
    "resnet18": 0,
    "unet": 0,
    "unet_tiny": 0,
    "nest_small": 1,
    "hgnet_small": 1,
    "rdnet_small": 1,
}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("mobilenetv3", ["mobilenet_v3_large", "mobilenet_v3_small", "mobilenetv3_rw"]),
        ("MobileNet-V3-Smal", ["mobilenet_v3_small", "mobilenet_v3_large", "mobilenet_v2"]),
        ("resnet81", ["resnet18", "resnet"]),
        ("ResNet-18", ["resnet18", "resnet"]),
        ("unet_small", ["unet", "unet_tiny", "nest_small"]),
        ("bundel", []),
        ("re", []),
        ("", []),
    ],
)
def test_the_likeliest_names_come_first(text: str, names: list[str]) -> None:
    assert close_names(text, NAMES) == names


def test_names_without_ranks_go_by_nearness() -> None:
    assert close_names("bundel", ["bundle", "bundles", "other"]) == ["bundle", "bundles"]
