"""Faster R-CNN behind tensors: its own losses, and every region that it looks into."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.plugins.two_stage_networks import SIZE, small_network
from zoo import ImageInput, Problem
from zoo.tasks.object_detection.postprocess import Detections
from zoo_torchvision.detection import two_stage
from zoo_torchvision.detection.adapter import TwoStageAdapter
from zoo_torchvision.detection.specs import detectors
from zoo_torchvision.detection.two_stage import TwoStage

SPECS = {spec.name: spec for spec in detectors() if spec.name in two_stage.NAMES}
CLASSES = ("a", "b", "c")


@pytest.fixture
def regions() -> TwoStage:
    return small_network(classes=3, regions=20)


def pictures(count: int) -> Tensor:
    return torch.randn(count, 3, *SIZE, generator=torch.Generator().manual_seed(1))


def test_what_follows_are_torchvisions_own_detections(regions: TwoStage) -> None:
    images = pictures(2)
    with torch.no_grad():
        boxes, scores, keys = regions(images)
        expected = regions.network(list(images))
    assert boxes.shape == (2, 20, 12) and scores.shape == (2, 20, 3) and keys.shape == (2, 20)
    finish = Detections(size=SIZE, score=0.0, overlap=0.5, limit=100)
    for place, wanted in enumerate(expected):
        found, confidence, labels = finish.select(boxes[place], scores[place])
        assert len(found) == len(wanted["boxes"]) > 5
        for box, score, label in zip(wanted["boxes"], wanted["scores"], wanted["labels"] - 1, strict=True):
            apart = (found - box).abs().amax(1) + (confidence - score).abs() + (labels != label)
            assert float(apart.min()) < 1e-4


def test_regions_stand_in_the_order_of_their_anchors_under_names_of_their_own(regions: TwoStage) -> None:
    with torch.no_grad():
        _, _, keys = regions(pictures(2))
    for row in keys.tolist():
        known = [key for key in row if key >= 0]
        assert known == sorted(set(known)) and row == known + [-1] * (len(row) - len(known))


def test_a_region_that_is_not_there_is_zero() -> None:
    few = small_network(classes=3, regions=500)
    with torch.no_grad():
        boxes, scores, keys = few(pictures(1))
    assert 0 < int((keys < 0).sum()) < keys.numel()
    assert float(boxes[keys < 0].abs().sum()) == float(scores[keys < 0].abs().sum()) == 0
    assert bool((scores[keys >= 0].sum(-1) > 0).all())


def test_all_that_could_be_chosen_holds_what_is(regions: TwoStage) -> None:
    images = pictures(1)
    with torch.no_grad():
        boxes, scores, keys = regions(images)
        firm = regions.possible(images, off=(0.0, 0.0))
        wider = (regions.possible(images, off=(1e-3 * 2**step, 1e-3 * 2**step)) for step in range(12))
        loose = next(one for one in wider if one is not None and not bool(one[3].all()))
    assert firm is not None
    assert sorted(firm[2][0].tolist()) == sorted(key for key in keys[0].tolist() if key >= 0) and bool(firm[3].all())
    assert set(loose[2][0].tolist()) >= set(firm[2][0].tolist())
    certain = set(loose[2][0][loose[3][0]].tolist())
    assert certain < set(firm[2][0].tolist())
    row = {key: place for place, key in enumerate(loose[2][0].tolist())}
    for place, key in enumerate(keys[0].tolist()):
        torch.testing.assert_close(loose[0][0, row[key]], boxes[0, place], atol=1e-4, rtol=1e-5)
        torch.testing.assert_close(loose[1][0, row[key]], scores[0, place])


def test_a_region_whose_size_is_at_a_step_is_looked_for_in_both_maps(regions: TwoStage) -> None:
    mapper = regions.network.roi_heads.box_roi_pool.map_levels
    side = mapper.s0 * 2.0 ** (mapper.k_max - mapper.lvl0)
    at = torch.tensor([[0.0, 0, side, side]], dtype=torch.float64)
    assert [regions._levels(at, off=off).tolist() for off in (-1e-3, 1e-3)] == [[0], [1]]


def test_it_answers_in_mixed_precision(regions: TwoStage) -> None:
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        boxes, scores, _ = regions(pictures(1))
    assert (boxes.dtype, scores.dtype) == (torch.float32, torch.float32)
    assert float(scores.max()) > 0


def test_it_brings_the_losses_of_both_stages(regions: TwoStage) -> None:
    objects = [(torch.tensor([[10.0, 10, 60, 60]]), torch.tensor([2])), (torch.zeros(0, 4), torch.zeros(0).long())]
    losses: dict[str, Tensor] = regions.train()(pictures(2), objects)
    assert losses.keys() == {"loss_classifier", "loss_box_reg", "loss_objectness", "loss_rpn_box_reg"}
    assert all(bool(torch.isfinite(loss)) for loss in losses.values())
    with pytest.raises(ValueError, match="objects"):
        regions(pictures(1))


def test_the_ports_of_a_two_stage_detector(regions: TwoStage) -> None:
    problem = Problem(task="object-detection", input=ImageInput(size=SIZE), classes=CLASSES)
    adapter = TwoStageAdapter(regions, problem)
    with torch.no_grad():
        outputs = adapter(pictures(1))
    assert [port.shape for port in adapter.signature.outputs] == [tuple(one.shape) for one in outputs]
    assert adapter.keys == adapter.signature.outputs[-1].name


def test_it_is_exported_for_another_size(regions: TwoStage) -> None:
    problem = Problem(task="object-detection", input=ImageInput(size=(96, 128)), classes=CLASSES)
    adapter = TwoStageAdapter(regions, problem).eval()
    with torch.no_grad():
        boxes, _, keys = adapter(torch.randn(1, 3, 96, 128))
    assert float(boxes[keys >= 0][:, 0::2].max()) > SIZE[1]


def test_a_fresh_network_can_be_made_to_answer(regions: TwoStage) -> None:
    adapter = TwoStageAdapter(
        regions, Problem(task="object-detection", input=ImageInput(size=SIZE), classes=CLASSES)
    ).eval()
    with torch.no_grad():
        said = adapter.initialise(pictures(1))
        _, scores, _ = adapter(pictures(1))
        objectness = float(adapter.selection_scores(pictures(1))[0].std())
    assert "objectness and class logits spread to 1.5" in said
    assert objectness == pytest.approx(1.5, rel=0.05)
    assert float(scores.std()) > 0.1
    assert not any(part.training for part in adapter.modules())


def test_the_proof_decides_about_all_of_them_and_where_random_weights_fail_it_is_declared() -> None:
    assert set(SPECS) == set(two_stage.NAMES)
    assert not any(spec.export.not_exportable for spec in SPECS.values())
    declared = {name: spec.conformance for name, spec in SPECS.items() if spec.conformance}
    assert {name: set(checks) for name, checks in declared.items()} == {
        "fasterrcnn_resnet50_fpn": {"proof"},
        "fasterrcnn_resnet50_fpn_v2": {"proof"},
    }


@pytest.mark.parametrize("name", two_stage.NAMES)
def test_the_card_of_a_two_stage_detector_says_what_is_built(name: str) -> None:
    with torch.device("meta"):
        built, other = (two_stage.network(name, num_classes=count) for count in (91, 5))
    assert sum(one.numel() for one in built.parameters()) == SPECS[name].parameters
    apart = {f"network.{key}" for key, one in built.state_dict().items() if one.shape != other.state_dict()[key].shape}
    head = {f"network.{key}" for key in built.state_dict() if f"network.{key}".startswith(SPECS[name].head)}
    assert apart == head
