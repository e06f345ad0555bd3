"""The torchvision plugin: its cards say what the installed torchvision says, and its builders do what the cards say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision

import zoo
from zoo import Catalog, ImageInput, UsageError
from zoo_torchvision import generate, model, plugin, weights
from zoo_torchvision.families import FAMILIES, family_of
from zoo_torchvision.imagenet import CLASSES

Command = Callable[..., Any]
CARDS = {card["name"]: card for card in json.loads(generate.CARDS.read_text())["models"]}
SMALLEST = [
    "alexnet convnext_tiny densenet121 efficientnet_b0 efficientnet_v2_s googlenet inception_v3 mnasnet0_5",
    "mobilenet_v2 mobilenet_v3_small regnet_x_400mf resnet18 resnext50_32x4d shufflenet_v2_x0_5 squeezenet1_1",
    "swin_t swin_v2_t vgg11 wide_resnet50_2",
]


def test_there_is_a_card_for_each_of_the_80_classifiers() -> None:
    assert sorted(CARDS) == generate.names()
    assert len(CARDS) == 80


@pytest.mark.slow
def test_the_cards_are_what_the_installed_torchvision_says(monkeypatch: pytest.MonkeyPatch) -> None:
    # the smallest sizes take a minute to find; a test of their own tries some
    monkeypatch.setattr(generate, "_min_size", lambda *_: 0)
    expected = {name: card | {"min_size": 0} for name, card in CARDS.items()}
    assert {name: json.loads(json.dumps(generate.card(name))) for name in CARDS} == expected


def test_the_class_names_are_those_of_the_weights() -> None:
    assert generate.classes() == CLASSES
    assert (len(CLASSES), CLASSES[0], CLASSES[-1]) == (1000, "tench", "toilet tissue")


@pytest.mark.slow
@pytest.mark.parametrize("name", " ".join(SMALLEST).split())
def test_a_network_takes_its_smallest_size_and_none_smaller(name: str) -> None:
    size = CARDS[name]["min_size"]
    network = generate.on_meta(name, image_size=(size, size)).eval()
    assert network(torch.empty(2, 3, size, size, device="meta")).shape == (2, 1000)
    if size > 1:
        with pytest.raises((RuntimeError, ValueError)):
            network(torch.empty(2, 3, size - 1, size - 1, device="meta"))


def test_recipes_fit_the_network() -> None:
    offered = (spec for spec in plugin.zoo_models() if spec.task == "image-classification")
    specs = [spec for spec in offered if not spec.not_available]
    assert len(specs) == 81
    assert [spec.name for spec in specs if set(spec.recipes) != {"digits", "default", "finetune"}] == []
    assert [spec.name for spec in specs if not _recipes_fit(spec)] == []


def _recipes_fit(spec: Any) -> bool:
    """Every recipe trains at a size that the network takes."""
    assert isinstance(spec.input, ImageInput)
    smallest = spec.input.min_size
    sizes = [recipe.input_size or spec.input.size for recipe in spec.recipes.values()]
    fit = all(min(size) >= smallest for size in sizes)
    return fit and (not spec.input.fixed_size or all(side % smallest == 0 for size in sizes for side in size))


@pytest.mark.parametrize("name", ["resnet18", "vit_b_32", "inception_v3", "squeezenet1_1", "swin_t"])
def test_only_the_head_depends_on_the_number_of_classes(name: str) -> None:
    five = generate.on_meta(name, num_classes=5, image_size=(320, 320)).state_dict()
    thousand = generate.on_meta(name, image_size=(320, 320)).state_dict()
    assert five.keys() == thousand.keys()
    different = {key for key in five if five[key].shape != thousand[key].shape}
    head = tuple(CARDS[name]["head"])
    assert different
    assert different == {key for key in five if key.startswith(head)}


def test_every_model_belongs_to_a_family_and_no_family_is_empty() -> None:
    names = [*CARDS, "vgg11_bn_small"]
    assert {id(family_of(name)) for name in names} == {id(family) for family in FAMILIES.values()}
    assert family_of("swin_v2_t") is FAMILIES["swin_v2"]


def test_the_small_vgg_differs_from_the_published_one_in_the_width_of_its_dense_layers_alone() -> None:
    [spec] = [spec for spec in plugin.zoo_models() if spec.name == "vgg11_bn_small"]
    with torch.device("meta"):
        small, whole = model.vgg11_bn_small(num_classes=1000), model.vgg11_bn(num_classes=1000)
    assert sum(one.numel() for one in small.parameters()) == spec.parameters
    shapes = [{key: one.shape for key, one in network.state_dict().items()} for network in (small, whole)]
    assert shapes[0].keys() == shapes[1].keys()
    assert {key for key in shapes[0] if shapes[0][key] != shapes[1][key]} == {
        f"classifier.{layer}" for layer in ("0.weight", "0.bias", "3.weight", "3.bias", "6.weight")
    }
    assert small.eval()(torch.empty(2, 3, 32, 32, device="meta")).shape == (2, 1000)


def test_inception_has_its_auxiliary_head_from_299_pixels_on() -> None:
    assert generate.on_meta("inception_v3", image_size=(299, 299)).AuxLogits is not None
    assert generate.on_meta("inception_v3", image_size=(298, 299)).AuxLogits is None


@pytest.mark.parametrize(("name", "size"), [("vit_b_16", (24, 24)), ("vit_b_32", (64, 96)), ("maxvit_t", (256, 256))])
def test_a_size_that_does_not_fit_into_patches_is_a_sentence(name: str, size: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match=f"{name} takes square images whose side is a multiple of"):
        getattr(model, name)(num_classes=2, image_size=size)


def test_published_weights_of_two_networks_are_renamed() -> None:
    one = torch.zeros(1)
    state = {"features.denseblock1.denselayer1.norm.1.weight": one, "features.norm0.weight": one}
    assert list(weights.densenet(state)) == ["features.denseblock1.denselayer1.norm1.weight", "features.norm0.weight"]
    assert list(weights.features({"features.0.bias": one, "classifier.0.bias": one})) == ["features.0.bias"]


def test_licences_tell_swag_apart() -> None:
    licences = {(spec.licence == "CC-BY-NC-4.0", "swag" in spec.tag) for spec in plugin.zoo_weights()}
    assert licences == {(True, True), (False, False)}
    assert sum(spec.tag.startswith("imagenet1k") for spec in plugin.zoo_weights()) == 115


@pytest.mark.parametrize("name", ["mnasnet0_5", "mobilenet_v3_small", "resnet18"])
def test_running_statistics_follow_a_short_training(name: str) -> None:
    layers = [layer for layer in generate.on_meta(name).modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert {layer.momentum for layer in layers} == {0.1}


def test_every_model_of_torchvision_is_listed_with_what_it_is() -> None:
    listed = {entry.name for entry in Catalog.discover().models("torchvision/*")}
    assert set(torchvision.models.list_models()) <= listed


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("quantized_resnet18", "quantized::conv2d"),
        ("keypointrcnn_resnet50_fpn", "zoo has no task for keypoints"),
        ("maskrcnn_resnet50_fpn", "zoo has no task for a mask of each object"),
        ("r3d_18", "zoo has no task for video clips"),
        ("raft_small", "zoo has no task for the motion between two pictures"),
    ],
)
def test_what_is_only_listed_says_why(name: str, sentence: str, zoo_command: Command) -> None:
    full_name = f"torchvision/{name}"
    assert full_name not in zoo.list_models(name)
    (record,) = [one for one in zoo_command("list", full_name, "--json").json if one["name"] == full_name]
    assert (record["available"], sentence in record["not_available"]) == (False, True)
    for words in (["train", name], ["export", name, "--untrained", "--onnx"], ["predict", f"{name}@x", "y.png"]):
        said = zoo_command(*words)
        assert said.code == 2
        assert f"{full_name} is listed, but cannot be used" in said.err
        assert sentence in said.err


def test_the_quantised_networks_cannot_be_captured_yet() -> None:
    """Fails when torch learns to: then they can be more than listed."""
    network = torchvision.models.quantization.mobilenet_v2(weights=None, quantize=True).eval()
    with pytest.raises(Exception, match="__obj_flatten__"):
        torch.export.export(network, (torch.zeros(1, 3, 64, 64),))
