"""What users of torch and timm expect of `create_model`, where the architecture has it, and a sentence elsewhere."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn

import zoo
from zoo import UsageError, create_model

GREY = torch.zeros(2, 1, 28, 28)
COLOUR = torch.zeros(2, 3, 64, 64)


def first_convolution(model: nn.Module) -> nn.Conv2d:
    return next(part for part in model.modules() if isinstance(part, nn.Conv2d))


def test_pretrained_is_the_default_tag() -> None:
    expected = create_model("cnn@digits").state_dict()
    actual = create_model("cnn", pretrained=True).state_dict()
    assert all(torch.equal(expected[name], actual[name]) for name in expected)
    with pytest.raises(UsageError, match="no weights are published for resnet/resnet20"):
        create_model("resnet20", pretrained=True)
    with pytest.raises(UsageError, match="'cnn@digits' names weights, and pretrained=True too"):
        create_model("cnn@digits", pretrained=True)


@pytest.mark.parametrize(("name", "channels"), [("resnet8", 1), ("resnet8", 5), ("resnet18", 1), ("resnet18", 4)])
def test_pictures_of_other_channels(name: str, channels: int) -> None:
    model = create_model(name, in_chans=channels, num_classes=3, seed=0).eval()
    assert first_convolution(model).in_channels == channels
    assert model(torch.zeros(2, channels, 64, 64)).shape == (2, 3)


def _image(name: str) -> zoo.ImageInput:
    image = zoo.Catalog.discover().model(name).spec.input
    assert isinstance(image, zoo.ImageInput)
    return image


@pytest.mark.parametrize("name", ["huggingface/vit_micro", "huggingface/resnet_micro"])
@pytest.mark.parametrize("channels", [1, 5])
def test_networks_of_transformers_compare_their_input_with_other_channels(name: str, channels: int) -> None:
    pytest.importorskip("transformers")
    model = create_model(name, in_chans=channels, num_classes=3, seed=0).eval()
    assert model(torch.zeros(2, channels, *_image(name).size)).shape == (2, 3)


@pytest.mark.parametrize("name", ["gru", "bert_tiny"])
def test_a_text_model_for_other_classes_keeps_the_vocabulary_of_its_data(name: str) -> None:
    rows = [part.weight.shape[0] for part in create_model(name).modules() if isinstance(part, nn.Embedding)]
    model = create_model(name, num_classes=7).eval()
    assert [part.weight.shape[0] for part in model.modules() if isinstance(part, nn.Embedding)] == rows
    assert model(torch.ones(2, 5, dtype=torch.int64), torch.tensor([5, 3])).shape == (2, 7)


def test_weights_for_other_channels_are_adapted() -> None:
    grey = first_convolution(create_model("cnn@digits")).weight
    colour = first_convolution(create_model("cnn", pretrained=True, in_chans=3)).weight
    assert torch.allclose(colour, grey.repeat(1, 3, 1, 1) / 3)
    source = create_model("resnet18", num_classes=2, seed=0)
    adapted = create_model("resnet18", num_classes=2, seed=0, in_chans=1)
    assert torch.allclose(first_convolution(adapted).weight, first_convolution(source).weight.sum(1, keepdim=True))


@pytest.mark.parametrize(("name", "width"), [("resnet8", 64), ("resnet18", 512), ("mobilenet_v3_small", 1024)])
def test_without_classes_there_are_features(name: str, width: int) -> None:
    model: Any = create_model(name, num_classes=0, in_chans=3)
    assert model.training
    assert model.num_features == width
    assert model.eval()(COLOUR).shape == (2, width)


def test_a_text_model_without_classes_gives_features_too() -> None:
    model: Any = create_model("gru", num_classes=0).eval()
    features = model(torch.ones(2, 5, dtype=torch.int64), torch.tensor([5, 3]))
    assert features.shape == (2, model.num_features)


NO_CLASSIFIERS = ("yolo_nano", "fcn_tiny", "lraspp_mobilenet_v3_large", "dcgan", "autoencoder", "facenet_tiny")


@pytest.mark.parametrize("name", NO_CLASSIFIERS)
def test_what_is_no_classifier_keeps_its_head(name: str) -> None:
    with pytest.raises(UsageError, match="num_classes=0 is for classifiers"):
        create_model(name, num_classes=0)


def test_features_only_gives_a_map_for_each_resolution() -> None:
    model: Any = create_model("resnet18", features_only=True, seed=0)
    assert isinstance(model, zoo.FeatureMaps)
    assert (model.channels, model.reductions) == ((64, 64, 128, 256, 512), (2, 4, 8, 16, 32))
    maps = model(torch.zeros(2, 3, 128, 64))
    assert [tuple(value.shape) for value in maps] == [
        (2, 64, 64, 32),
        (2, 64, 32, 16),
        (2, 128, 16, 8),
        (2, 256, 8, 4),
        (2, 512, 4, 2),
    ]
    maps[-1].sum().backward()
    assert first_convolution(model).weight.grad is not None


def test_a_copy_of_feature_maps_is_its_own() -> None:
    model = create_model("resnet8", features_only=True, in_chans=3, seed=0).eval()
    copied = deepcopy(model)
    with torch.no_grad():
        first_convolution(copied).weight.zero_()
        assert float(copied(torch.ones(1, 3, 32, 32))[0].abs().sum()) != float(model(torch.ones(1, 3, 32, 32))[0].sum())


@pytest.mark.parametrize("name", ["gru", "vit_b_32", "dcgan"])
def test_features_only_is_refused_where_there_are_none(name: str) -> None:
    with pytest.raises(UsageError, match="feature maps"):
        create_model(name, features_only=True)


def test_dropout_is_chosen_where_there_is_some() -> None:
    model = create_model("alexnet", drop_rate=0.25, num_classes=2)
    assert {part.p for part in model.modules() if isinstance(part, nn.Dropout)} == {0.25}
    with pytest.raises(UsageError, match="torchvision/resnet18 has no dropout"):
        create_model("resnet18", drop_rate=0.1)


@pytest.mark.parametrize("name", ["resnet18", "test_resnet", "test_vit"])
def test_the_global_pool_is_chosen(name: str) -> None:
    images = torch.rand(2, 3, 160, 160)
    plain, pooled = (
        create_model(name, num_classes=3, seed=0, global_pool=pool).eval()(images) for pool in (None, "max")
    )
    assert pooled.shape == (2, 3)
    assert not torch.allclose(plain, pooled)
    assert torch.equal(pooled, create_model(name, num_classes=3, seed=0, global_pool="max").eval()(images))


def test_a_global_pool_that_an_architecture_has_not_is_an_error() -> None:
    for name in ("resnet18", "test_resnet"):
        with pytest.raises(UsageError, match=f"{name} has no global_pool 'median'"):
            create_model(name, global_pool="median")
    for name in ("gru", "resnet8"):  # resnet8 takes a mean, not a pool
        with pytest.raises(UsageError, match=f"{name} has no global_pool 'max'"):
            create_model(name, global_pool="max")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"num_classes": -1}, "num_classes is -1"),
        ({"num_classes": "3"}, "num_classes is '3'"),
        ({"num_classes": True}, "num_classes is True"),
        ({"in_chans": 0}, "in_chans is 0"),
        ({"drop_rate": 1.5}, "drop_rate is 1.5"),
        ({"features_only": True, "num_classes": 0}, "say one of them"),
    ],
)
def test_wrong_arguments_are_sentences(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        create_model("alexnet", **options)


def test_a_model_that_reads_no_pictures_has_no_channels() -> None:
    with pytest.raises(UsageError, match="takes no images"):
        create_model("gru", in_chans=1)


def test_a_module_is_no_name() -> None:
    module: Any = nn.Linear(2, 2)
    named: list[Any] = [create_model, zoo.train]
    targets: list[Any] = [zoo.export, zoo.verify, zoo.evaluate, zoo.predict]
    for call in named:
        with pytest.raises(UsageError, match="a Linear is no model's name"):
            call(module)
    for call in targets:
        with pytest.raises(UsageError, match="a Linear is no TARGET"):
            call(module)
