"""torchvision's segmentation networks behind tensors, and the small FCN."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import segmentation

from zoo_torchvision.segmentation import model
from zoo_torchvision.segmentation.specs import CARDS, segmenters
from zoo_torchvision.segmentation.tiny import doubling, fcn_tiny

SPECS = {spec.name: spec for spec in segmenters()}


@pytest.mark.parametrize("name", model.NAMES)
def test_a_card_says_what_is_built(name: str) -> None:
    with torch.device("meta"):
        built = model.segmenter(name, num_classes=21)
    assert sum(one.numel() for one in built.parameters()) == SPECS[name].parameters
    head = {key: one for key, one in built.state_dict().items() if key.startswith(SPECS[name].head)}
    assert {one.shape[0] for one in head.values()} == {21}, "only what depends on the number of classes is made new"
    with torch.device("meta"):
        other = model.segmenter(name, num_classes=5).state_dict()
    apart = {key for key, one in built.state_dict().items() if one.shape != other[key].shape}
    assert apart == set(head)


@pytest.mark.parametrize("name", ["lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large"])
def test_it_answers_as_torchvision_does(name: str) -> None:
    torch.manual_seed(0)
    actual = model.segmenter(name, num_classes=4)
    aux = {"aux_loss": True} if name in model.WITH_AUX else {}
    expected = getattr(segmentation, name)(weights=None, weights_backbone=None, num_classes=4, **aux)
    expected.load_state_dict({key.removeprefix("network."): one for key, one in actual.state_dict().items()})
    images = torch.randn(2, 3, 64, 80)
    answer = actual.eval()(images)
    assert isinstance(answer, torch.Tensor) and answer.shape == (2, 4, 64, 80)
    assert torch.equal(answer, expected.eval()(images)["out"])


def test_the_auxiliary_head_speaks_in_training_only() -> None:
    network = model.segmenter("deeplabv3_mobilenet_v3_large", num_classes=3)
    images = torch.randn(2, 3, 64, 64)
    own, aux = network.train()(images)
    assert own.shape == aux.shape == (2, 3, 64, 64)
    assert isinstance(network.eval()(images), torch.Tensor)
    assert isinstance(model.segmenter("lraspp_mobilenet_v3_large", num_classes=3).train()(images), torch.Tensor)


def test_running_statistics_can_be_learnt_in_a_short_training() -> None:
    network = model.segmenter("lraspp_mobilenet_v3_large", num_classes=3)
    assert {layer.momentum for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)} == {0.1}


@pytest.mark.parametrize("size", [(96, 96), (43, 58), (17, 16)])
def test_fcn_tiny_scores_every_pixel_of_any_size(size: tuple[int, int]) -> None:
    assert fcn_tiny(num_classes=7)(torch.randn(2, 3, *size)).shape == (2, 7, *size)


def test_fcn_tiny_is_what_its_card_says_and_small() -> None:
    network = fcn_tiny(num_classes=11)
    count = sum(one.numel() for one in network.parameters())
    assert count == SPECS["fcn_tiny"].parameters == CARDS[0].parameters
    assert 4 * sum(one.numel() for one in network.state_dict().values()) < 400_000
    assert SPECS["fcn_tiny"].aliases == ("fcn",)
    assert all(name.startswith(SPECS["fcn_tiny"].head) for name, one in network.named_parameters() if 11 in one.shape)


def test_every_stride_adds_its_scores() -> None:
    torch.manual_seed(0)
    network = fcn_tiny(num_classes=3).eval()
    images = torch.randn(1, 3, 32, 32)
    whole = network(images)
    for number in range(3):
        weight = network.get_parameter(f"scores.{number}.weight")
        kept = weight.detach().clone()
        nn.init.zeros_(weight)
        assert not torch.allclose(network(images), whole)
        weight.data = kept


def test_scores_are_doubled_bilinearly_at_first() -> None:
    scores = torch.randn(1, 3, 6, 7)
    inside = doubling(3)(scores)[..., 1:-1, 1:-1]
    wanted = F.interpolate(scores, scale_factor=2, mode="bilinear", align_corners=False)[..., 1:-1, 1:-1]
    torch.testing.assert_close(inside, wanted)
