"""Faster R-CNN behind tensors: its own losses, and its own detections in cells."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from zoo import ImageInput, Problem
from zoo_torchvision.detection import two_stage
from zoo_torchvision.detection.specs import detectors
from zoo_torchvision.detection.two_stage import CELLS, Answering, TwoStage

NAME = "fasterrcnn_mobilenet_v3_large_320_fpn"
SPECS = {spec.name: spec for spec in detectors() if spec.name in two_stage.NAMES}
SIZE = (96, 128)


@pytest.fixture(scope="module")
def regions() -> TwoStage:
    torch.manual_seed(0)
    network = two_stage.two_stage(NAME, num_classes=3, image_size=SIZE)
    network.network.roi_heads.score_thresh = 0.0
    return network


def test_detections_stand_in_cells_as_torchvision_gives_them(regions: TwoStage) -> None:
    images = torch.randn(2, 3, *SIZE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        boxes, scores = regions.eval()(images)
        theirs = regions.network(list(images))
    assert boxes.shape == (2, CELLS, 4) and scores.shape == (2, CELLS, 3)
    for place, found in enumerate(theirs):
        count = len(found["scores"])
        assert 0 < count <= CELLS
        torch.testing.assert_close(boxes[place, :count], found["boxes"])
        best, labels = scores[place, :count].max(-1)
        torch.testing.assert_close(best, found["scores"])
        assert torch.equal(labels, found["labels"] - 1)
        assert int((scores[place] > 0).sum()) == count, "one class in each cell, none in those left over"


def test_it_answers_in_mixed_precision(regions: TwoStage) -> None:
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        boxes, scores = regions.eval()(torch.randn(1, 3, *SIZE))
    assert (boxes.dtype, scores.dtype) == (torch.float32, torch.float32)
    assert float(scores.max()) > 0


def test_it_brings_the_losses_of_both_stages(regions: TwoStage) -> None:
    objects = [(torch.tensor([[10.0, 10, 60, 70]]), torch.tensor([2])), (torch.zeros(0, 4), torch.zeros(0).long())]
    losses: dict[str, Tensor] = regions.train()(torch.randn(2, 3, *SIZE), objects)
    assert losses.keys() == {"loss_classifier", "loss_box_reg", "loss_objectness", "loss_rpn_box_reg"}
    assert all(bool(torch.isfinite(loss)) for loss in losses.values())
    with pytest.raises(ValueError, match="objects"):
        regions(torch.randn(1, 3, *SIZE))


def test_the_ports_of_a_two_stage_detector(regions: TwoStage) -> None:
    problem = Problem(task="object-detection", input=ImageInput(size=SIZE), classes=("a", "b", "c"))
    adapter = Answering(regions.eval(), problem)
    with torch.no_grad():
        boxes, scores = adapter(torch.randn(1, 3, *SIZE))
    assert [port.shape[1:] for port in adapter.signature.outputs] == [boxes.shape[1:], scores.shape[1:]]


def test_it_says_why_it_cannot_be_exported() -> None:
    assert set(SPECS) == set(two_stage.NAMES)
    assert all("retinanet_resnet50_fpn" in spec.export.not_exportable for spec in SPECS.values())


@pytest.mark.parametrize("name", two_stage.NAMES)
def test_the_card_of_a_two_stage_detector_says_what_is_built(name: str) -> None:
    with torch.device("meta"):
        built, other = (two_stage.network(name, num_classes=count) for count in (91, 5))
    assert sum(one.numel() for one in built.parameters()) == SPECS[name].parameters
    apart = {f"network.{key}" for key, one in built.state_dict().items() if one.shape != other.state_dict()[key].shape}
    head = {f"network.{key}" for key in built.state_dict() if f"network.{key}".startswith(SPECS[name].head)}
    assert apart == head
