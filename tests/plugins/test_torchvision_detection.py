"""torchvision's detectors behind tensors: the same answers as their own loops, their own losses."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.detection.ssd import SSD

from zoo import ImageInput, Problem, UsageError
from zoo_torchvision.detection import model
from zoo_torchvision.detection.adapter import OneStageAdapter, score_layers
from zoo_torchvision.detection.model import Detector
from zoo_torchvision.detection.specs import CARDS, detectors
from zoo_torchvision.detection.trainer import DetectionTrainer

Build = Callable[..., Detector]
SIZES = {
    "ssd_tiny": (64, 96),
    "ssdlite320_mobilenet_v3_large": (320, 320),
    "retinanet_resnet50_fpn": (64, 96),
    "fcos_resnet50_fpn": (64, 96),
}


@pytest.fixture(scope="module", params=SIZES)
def detector(request: pytest.FixtureRequest) -> Detector:
    torch.manual_seed(0)
    build: Build = getattr(model, request.param)
    return build(num_classes=3, image_size=SIZES[request.param])


def test_every_cell_answers_as_torchvision_does(detector: Detector) -> None:
    detector.eval()
    detector.network.score_thresh, detector.network.detections_per_img = 0.0, 20
    height, width = detector.image_size
    images = torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        boxes, scores = detector(images)
        expected = detector.network(list(images))[0]
    assert len(expected["scores"]) == 20
    limits = torch.tensor([width, height, width, height])
    inside = torch.minimum(boxes[0].clamp(min=0), limits)
    labels = expected["labels"] - int(detector.background)
    for box, score, label in zip(expected["boxes"], expected["scores"], labels, strict=True):
        apart = (inside - box).abs().amax(1) + 100 * (scores[0, :, label] - score).abs()
        assert float(apart.min()) < 2e-3


def test_it_brings_its_losses(detector: Detector) -> None:
    detector.train()
    height, width = detector.image_size
    objects = [(torch.tensor([[10.0, 10, 40, 50]]), torch.tensor([2])), (torch.zeros(0, 4), torch.zeros(0).long())]
    losses: dict[str, Tensor] = detector(torch.randn(2, 3, height, width), objects)
    assert {"classification", "bbox_regression"} <= losses.keys()
    assert all(torch.isfinite(loss) and loss >= 0 for loss in losses.values())
    with pytest.raises(ValueError, match="objects"):
        detector(torch.randn(1, 3, height, width))


def test_its_losses_are_measured_in_eval_mode_as_well(detector: Detector) -> None:
    height, width = detector.image_size
    objects = [(torch.tensor([[10.0, 10, 40, 50]]), torch.tensor([2])), (torch.zeros(0, 4), torch.zeros(0).long())]
    images = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(1))
    detector.train()
    for part in detector.modules():
        if isinstance(part, nn.BatchNorm2d | nn.Dropout):
            part.eval()
    with torch.no_grad():
        targets = [{"boxes": boxes, "labels": labels + int(detector.background)} for boxes, labels in objects]
        expected = detector.network(list(images), targets)
        learnt = detector(images, objects, lambda count: count.clamp(min=1) * 2.0)
        detector.eval()
        head = detector.head_outputs(images)
        losses = detector.losses(head, objects)
        boxes, scores = detector(images)
    assert {name: float(loss) for name, loss in losses.items()} == pytest.approx(
        {name: float(loss) for name, loss in expected.items()}, rel=1e-5
    )
    shared = 0.5 if isinstance(detector.network, SSD) else 1.0  # whose mean is over all objects' anchors
    assert {name: float(loss) for name, loss in learnt.items()} == pytest.approx(
        {name: shared * float(loss) for name, loss in expected.items()}, rel=1e-5
    )
    assert all(torch.equal(a, b) for a, b in zip(detector.decoded(head), (boxes, scores), strict=True))


def test_the_trainer_measures_the_validation_loss_of_what_it_predicts(detector: Detector) -> None:
    height, width = detector.image_size
    images = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(1))
    boxes, labels = [torch.tensor([[10.0, 10, 40, 50]]), torch.zeros(0, 4)], [torch.tensor([2]), torch.zeros(0).long()]
    batch: Any = {"input": images, "boxes": boxes, "labels": labels}
    context: Any = SimpleNamespace(modules={"model": detector.eval()})
    trainer = DetectionTrainer()
    with torch.no_grad():
        outputs = trainer.predict(context, batch)
        loss = trainer.validation_loss(context, outputs, batch)
        parts = detector.losses(detector.head_outputs(images), list(zip(boxes, labels, strict=True)))
    assert loss is not None and float(loss) == pytest.approx(sum(float(part) for part in parts.values()), rel=1e-5)
    other: Any = SimpleNamespace(modules={"model": nn.Identity()})
    assert trainer.validation_loss(other, outputs, batch) is None


def test_its_ports(detector: Detector) -> None:
    image = ImageInput(size=detector.image_size)
    adapter = OneStageAdapter(detector.eval(), Problem(task="object-detection", input=image, classes=("a", "b", "c")))
    boxes, scores = adapter(torch.randn(1, 3, *detector.image_size))
    assert [port.shape[1:] for port in adapter.signature.outputs] == [boxes.shape[1:], scores.shape[1:]]
    assert 0 <= float(scores.min()) <= float(scores.max()) <= 1


def test_a_detector_is_exported_for_another_size() -> None:
    torch.manual_seed(0)
    small = model.ssd_tiny(num_classes=3, image_size=(64, 96)).eval()
    problem = Problem(task="object-detection", input=ImageInput(size=(96, 128)), classes=("a", "b", "c"))
    adapter = OneStageAdapter(small, problem).eval()
    images = torch.randn(1, 3, 96, 128)
    with torch.no_grad():
        found = adapter(images)
        fresh = model.ssd_tiny(num_classes=3, image_size=(96, 128)).eval()
        fresh.load_state_dict(small.state_dict())
        wanted = OneStageAdapter(fresh, problem)(images)
    assert all(torch.equal(one, other) for one, other in zip(found, wanted, strict=True))
    assert [port.shape[1:] for port in adapter.signature.outputs] == [one.shape[1:] for one in found]


def test_published_networks_keep_their_size() -> None:
    with pytest.raises(UsageError, match="300 x 300"):
        model.ssd300_vgg16(num_classes=3, image_size=(96, 96))


def test_the_cards_say_what_is_built() -> None:
    specs = {spec.name: spec for spec in detectors()}
    assert list(specs) == [card.name for card in CARDS]
    built = model.ssd_tiny(num_classes=10, image_size=(96, 96))
    assert sum(one.numel() for one in built.parameters()) == specs["ssd_tiny"].parameters
    assert any(name.startswith(specs["ssd_tiny"].head) for name, _ in built.named_parameters())


@pytest.mark.parametrize("name", [card.name for card in CARDS if not card.two_stage and card.name != "ssd_tiny"])
def test_the_card_of_a_published_detector_says_what_is_built(name: str) -> None:
    with torch.device("meta"):
        built = model.network(name, num_classes=91)
    assert sum(one.numel() for one in built.parameters()) == {card.name: card.parameters for card in CARDS}[name]


def test_a_fresh_network_can_be_made_to_answer(detector: Detector) -> None:
    image = ImageInput(size=detector.image_size)
    adapter = OneStageAdapter(detector.eval(), Problem(task="object-detection", input=image, classes=("a", "b", "c")))
    images = torch.randn(1, 3, *detector.image_size, generator=torch.Generator().manual_seed(0))
    layers = score_layers(detector.network.head.classification_head)
    kept = {name: one.clone() for name, one in detector.state_dict().items()}
    with torch.no_grad():
        before = float((adapter(images)[1] > 0.05).float().mean())
        said = adapter.initialise(images)
        after = float((adapter(images)[1] > 0.05).float().mean())
    changed = {name for name, one in detector.state_dict().items() if not torch.equal(one, kept[name])}
    detector.load_state_dict(kept)
    assert len([name for name in changed if name.endswith("weight")]) == len(layers)
    assert said.startswith("class logits spread to 1.5")
    assert ("distances" in said) == (detector.decode is model.decode_fcos)
    assert 0.01 < after < 1.0 and after != before
