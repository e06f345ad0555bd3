"""The YOLO: shapes, assignment, losses, mosaics, and that it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.ops import clip_boxes_to_image

from tests.builtin import builtin_task
from zoo import DataRequest, ImageInput, Problem, create_model
from zoo_export.subject.random_weights import randomise
from zoo_yolo.adapter import Detector, clip_boxes, probability
from zoo_yolo.assign import assign, pairwise_iou
from zoo_yolo.loss import complete_iou, detection_loss
from zoo_yolo.model import Yolo, cells, decode, yolo_medium, yolo_nano, yolo_small
from zoo_yolo.mosaic import mosaic
from zoo_yolo.plugin import zoo_models, zoo_weights

LEVELS = [(8, 8), (4, 4), (2, 2)]


@pytest.fixture
def nano() -> Yolo:
    torch.manual_seed(0)
    return yolo_nano(num_classes=3, channels=3).eval()


def test_the_sizes_are_those_that_are_listed() -> None:
    builders = {"yolo_nano": yolo_nano, "yolo_small": yolo_small, "yolo_medium": yolo_medium}
    with torch.device("meta"):
        counted = {
            name: sum(one.numel() for one in build(num_classes=10, channels=3).parameters())
            for name, build in builders.items()
        }
    assert counted == {spec.name: spec.parameters for spec in zoo_models()}


def test_one_box_and_its_scores_for_every_cell(nano: Yolo) -> None:
    boxes, logits = nano(torch.randn(2, 3, 64, 96))
    count = 8 * 12 + 4 * 6 + 2 * 3
    assert boxes.shape == (2, count, 4) and logits.shape == (2, count, 3)
    assert bool((boxes[..., 2:] > boxes[..., :2]).all())


def test_cells_and_boxes() -> None:
    centres, strides = cells(LEVELS, like=torch.zeros(1))
    assert centres[:2].tolist() == [[4, 4], [12, 4]] and centres[64].tolist() == [8, 8]
    assert strides[[0, 64, 80], 0].tolist() == [8, 16, 32] and len(centres) == 84
    raw = torch.tensor([[[0.5, -1.0, 0.0, 2.0]]])
    box = decode(raw, centres[:1], strides[:1])[0, 0]
    high = 8 * torch.tensor(2.0).exp() / 2
    torch.testing.assert_close(box, torch.stack([torch.tensor(4.0), -4 - high, torch.tensor(12.0), -4 + high]))
    assert torch.isfinite(decode(raw * 1e6, centres[:1], strides[:1])).all()


def test_what_is_exported_says_its_ports(nano: Yolo) -> None:
    image = ImageInput(size=(64, 96), mean=(0.0,), std=(1.0,))
    problem = Problem(task="object-detection", input=image, classes=("a", "b", "c"))
    adapter = Detector(nano, problem).eval()
    with torch.no_grad():
        boxes, scores = adapter(torch.randn(1, 3, 64, 96))
    assert [port.shape[1:] for port in adapter.signature.outputs] == [boxes.shape[1:], scores.shape[1:]]
    assert 0 <= float(scores.min()) <= float(scores.max()) <= 1
    logits = torch.linspace(-60, 60, 9)
    torch.testing.assert_close(probability(logits), logits.sigmoid())


def test_boxes_are_cut_as_torchvision_cuts_them_without_a_slice_with_a_step(nano: Yolo) -> None:
    """Bit for bit, at every edge; a runtime without strided slices takes the graph."""
    boxes = torch.randn(3, 64, 4, generator=torch.Generator().manual_seed(0)) * 300
    boxes[0, 0] = torch.tensor([-0.0, 96.0, 128.0, float("inf")])
    assert torch.equal(clip_boxes(boxes, (96, 128)), clip_boxes_to_image(boxes, (96, 128)))
    problem = Problem(task="object-detection", input=ImageInput(size=(64, 64)), classes=("a", "b"))
    program = torch.export.export(Detector(nano, problem).eval(), (torch.rand(1, 3, 64, 64),))
    slices = [node for node in program.graph.nodes if "slice" in str(node.target)]
    assert slices and all(node.args[4:] in ((), (1,)) for node in slices)


def test_a_randomised_detector_gives_some_scores_above_the_threshold(nano: Yolo) -> None:
    """Without that a network with random weights finds nothing in any picture, and nothing can be proved of it."""
    image = ImageInput(size=(64, 96), mean=(0.0,), std=(1.0,))
    adapter = Detector(nano, Problem(task="object-detection", input=image, classes=("a", "b", "c"))).eval()
    pictures = np.random.default_rng(0).standard_normal((4, 1, 3, 64, 96), np.float32)
    done = randomise(adapter, [{"input": picture} for picture in pictures], adapter.signature, seed=0)
    assert done.endswith("; class logits spread to 1.5)")
    with torch.no_grad():
        _, scores = adapter(torch.from_numpy(pictures[0]))
    assert 0.01 < float((scores > 0.05).float().mean()) < 0.5


def test_objects_are_learnt_by_the_cells_that_frame_them_best() -> None:
    centres, strides = cells(LEVELS, like=torch.zeros(1))
    square = torch.cat([centres - strides / 2, centres + strides / 2], dim=1)[None]
    found = assign(
        boxes=square,
        scores=torch.full((1, 84, 2), 0.1),
        centres=centres,
        strides=strides,
        true_boxes=torch.tensor([[[16.0, 16, 32, 32], [40, 40, 43, 63], [0, 0, 9, 9]]]),
        true_labels=torch.tensor([[1, 0, 0]]),
        present=torch.tensor([[True, True, False]]),
    )
    exact = 64 + 4 + 1  # the cell of stride 16 whose square is the first object
    assert found.chosen[0, exact] and found.boxes[0, exact].tolist() == [16, 16, 32, 32]
    assert found.scores[0, exact].tolist() == [0, 1]
    assert found.scores[0, :, 1].argmax() == exact
    assert (found.boxes[found.chosen] == torch.tensor([40.0, 40, 43, 63])).all(1).any(), "thinner than a stride"
    assert not (found.boxes[found.chosen] == torch.tensor([0.0, 0, 9, 9])).all(1).any(), "padding"
    assert bool((found.scores[~found.chosen] == 0).all())


def test_overlaps() -> None:
    one = torch.tensor([[[0.0, 0, 10, 10]]])
    two = torch.tensor([[[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]]])
    torch.testing.assert_close(pairwise_iou(one, two), torch.tensor([[[1, 1 / 3, 0]]]))
    torch.testing.assert_close(complete_iou(one[0], one[0]), torch.tensor([1.0]))
    # IoU 1/3 less the squared distance of the centres, 25, over the squared diagonal of the frame, 325
    torch.testing.assert_close(complete_iou(one[0], two[0, 1:2]), torch.tensor([1 / 3 - 25 / 325]))
    assert complete_iou(one[0], two[0, 2:]) < 0


def test_pictures_without_objects_have_a_loss(nano: Yolo) -> None:
    boxes, logits = nano.train()(torch.randn(2, 3, 64, 64))
    none = (torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
    parts = detection_loss(boxes, logits, [none, none], size=(64, 64))
    assert float(parts.boxes) == 0 and float(parts.classes) > 0
    (parts.classes + parts.boxes).backward()  # type: ignore[no-untyped-call]
    assert all(torch.isfinite(one.grad).all() for one in nano.parameters() if one.grad is not None)


@pytest.mark.slow
def test_a_few_pictures_are_learnt(nano: Yolo) -> None:
    images = torch.zeros(4, 3, 64, 64)
    objects = []
    for place, (left, top, side) in enumerate([(8, 8, 16), (30, 20, 24), (5, 40, 20), (36, 4, 20)]):
        images[place, place % 3, top : top + side, left : left + side] = 1
        objects.append((torch.tensor([[left, top, left + side, top + side]]).float(), torch.tensor([place % 3])))
    optimizer = torch.optim.AdamW(nano.train().parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1.0, end_factor=0.01, total_iters=70)
    for _ in range(70):
        boxes, logits = nano(images)
        parts = detection_loss(boxes, logits, objects, size=(64, 64))
        optimizer.zero_grad()
        (parts.classes + 3 * parts.boxes).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    boxes, logits = nano(images)
    for place, (true, label) in enumerate(objects):
        best = logits[place].amax(1).argmax()
        assert logits[place, best].argmax() == label
        assert pairwise_iou(boxes[place, best][None, None], true[None])[0, 0, 0] > 0.8


def test_mosaics_keep_boxes_on_their_ink() -> None:
    generator = torch.Generator().manual_seed(3)
    images, objects = torch.zeros(6, 1, 40, 40), []
    for place in range(6):
        left, top = 5 * place, 30 - 5 * place
        images[place, 0, top : top + 8, left : left + 10] = place + 1
        objects.append((torch.tensor([[left, top, left + 10, top + 8]]).float(), torch.tensor([place])))
    changed, found = mosaic(images, objects, share=1.0, generator=generator)
    assert not torch.equal(changed, images)
    for image, (boxes, labels) in zip(changed, found, strict=True):
        for (left, top, right, bottom), label in zip(boxes.int().tolist(), labels.tolist(), strict=True):
            assert bool((image[0, top:bottom, left:right] == label + 1).all())
            assert (right - left) * (bottom - top) >= 40
    same, kept = mosaic(images, objects, share=0.0, generator=generator)
    assert torch.equal(same, images) and kept == objects


def test_the_shipped_weights_find_the_digits() -> None:
    (spec,) = zoo_weights()
    model = create_model(f"{spec.model}@{spec.tag}").eval()
    assert isinstance(spec.input, ImageInput) and isinstance(model, Yolo)
    task = builtin_task("object-detection")
    card = task.data.check(task.data.detect(DataRequest(source=spec.data)), progress=lambda *_: None)
    problem = task.problem(card, spec.input)
    assert problem.facts == spec.facts and problem.classes == spec.classes
    data, metrics, detector = (
        task.tensors.dataset(card, "test", problem),
        task.tensors.metrics(problem),
        Detector(model, problem),
    )
    with torch.no_grad():
        batch = data.ready(data.batch(range(120)))
        boxes, scores = detector(batch["input"])
    metrics.update({"boxes": boxes, "scores": scores}, batch)
    found = metrics.compute()
    assert found["map50"] > 0.96 and found["map"] > 0.72
