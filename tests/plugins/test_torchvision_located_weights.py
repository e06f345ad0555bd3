"""Published weights of detectors and segmenters: what torchvision says of them, and that their bytes fit."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import detection, segmentation
from torchvision.ops.misc import FrozenBatchNorm2d

from zoo.models.weights.load import load_state
from zoo_torchvision import located, published, weights
from zoo_torchvision.detection import model as detectors
from zoo_torchvision.detection import two_stage
from zoo_torchvision.located import located_weights
from zoo_torchvision.segmentation import model as segmenters

SPECS = {spec.model: spec for spec in located_weights()}


def test_the_file_says_what_the_installed_torchvision_says() -> None:
    text = published.FILE.read_text(encoding="utf-8")
    assert text == published.as_text(published.document())
    assert len(json.loads(text)["models"]) == len(SPECS) == 15


def test_what_the_weights_say() -> None:
    fcn, ssd, retinanet = (SPECS[name] for name in ("fcn_resnet50", "ssd300_vgg16", "retinanet_resnet50_fpn"))
    assert (fcn.tag, fcn.sha256, fcn.metrics) == (
        "coco_with_voc_labels_v1",
        "1167a1af",
        {"miou": 0.605, "pixel_accuracy": 0.914},
    )
    assert (ssd.tag, ssd.sha256, ssd.metrics) == ("coco_v1", "b556d3b4", {"map": 0.251})
    assert (fcn.classes, ssd.classes) == ("zoo_torchvision.located:VOC", "zoo_torchvision.located:OBJECTS")
    assert retinanet.classes == "zoo_torchvision.located:COCO"


def test_class_names_are_unique_and_in_place() -> None:
    assert (len(located.VOC), located.VOC[0], located.VOC[15]) == (21, "__background__", "person")
    assert (len(located.COCO), located.COCO[1], located.COCO[12], located.COCO[90]) == (
        91,
        "person",
        "N/A 12",
        "toothbrush",
    )
    assert located.COCO[1:] == located.OBJECTS
    assert len(set(located.COCO)) == 91


def frozen(module: nn.Module) -> dict[str, Tensor]:
    """The state of a network as a publisher with frozen batch normalisation writes it."""
    torch.manual_seed(2)
    state = module.state_dict()
    for name in [name for name in state if name.endswith("num_batches_tracked")]:
        del state[name]
    for name, tensor in state.items():
        if name.endswith("running_var"):
            tensor.copy_(torch.rand_like(tensor) + 0.5)
    return state


def test_a_published_segmenter_fits() -> None:
    published_network = segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=21)
    actual = segmenters.segmenter("lraspp_mobilenet_v3_large", num_classes=21)
    load_state(actual, weights.inside(published_network.state_dict()), origin="here")
    images = torch.randn(1, 3, 64, 64)
    assert torch.equal(actual.eval()(images), published_network.eval()(images)["out"])


def test_a_detector_with_frozen_statistics_fits() -> None:
    name = "fasterrcnn_mobilenet_v3_large_320_fpn"
    published_state = frozen(getattr(detection, name)(weights=None, weights_backbone=None, num_classes=91))
    actual = two_stage.two_stage(name, num_classes=90, image_size=(64, 64))
    load_state(actual, weights.inside(published_state), origin="here")
    own = actual.state_dict()
    assert all(torch.equal(own[f"network.{key}"], tensor) for key, tensor in published_state.items())


def test_names_of_older_files_are_understood() -> None:
    state: Any = detectors.network("retinanet_resnet50_fpn", num_classes=91).state_dict()
    for name in [name for name in state if "fpn" in name]:
        state[name.replace(".0.weight", ".weight").replace(".0.bias", ".bias")] = state.pop(name)
    state._metadata = {name: {} for name in state._metadata}  # before there were versions
    actual = detectors.retinanet_resnet50_fpn(num_classes=91, image_size=(64, 64))
    load_state(actual, weights.inside(state), origin="here")


def test_an_eps_of_zero_is_kept() -> None:
    layer = FrozenBatchNorm2d(3, eps=0.0)
    layer.running_var.copy_(torch.tensor([1e-6, 1e-3, 1.0]))
    actual = nn.ModuleDict({"network": nn.BatchNorm2d(3)}).eval()
    state = {name: tensor.clone() for name, tensor in layer.state_dict().items()}
    named = weights.inside_without_eps({f"norm.{name}": tensor for name, tensor in state.items()})
    actual["network"].load_state_dict({name.rpartition(".")[2]: tensor for name, tensor in named.items()})
    images = torch.randn(1, 3, 4, 4)
    torch.testing.assert_close(actual["network"](images), layer(images), rtol=1e-4, atol=1e-4)


def test_every_set_of_weights_has_its_facts() -> None:
    address = "https://download.pytorch.org/models/"
    specs = SPECS.values()
    assert [spec.url for spec in specs if not spec.url.startswith(address) or spec.sha256 not in spec.url] == []
    assert [spec.url for spec in specs if spec.size is None or spec.size <= 10_000_000] == []
    assert [spec.url for spec in specs if not all(0 < value < 1 for value in spec.metrics.values())] == []
    expected = {name: "inside_without_eps" if name in located.WITHOUT_EPS else "inside" for name in SPECS}
    assert {name: spec.remap for name, spec in SPECS.items()} == {
        name: f"zoo_torchvision.weights:{function}" for name, function in expected.items()
    }
