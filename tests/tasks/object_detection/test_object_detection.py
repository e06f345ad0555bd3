"""The task on its embedded scenes: data, changes, cases, metrics and showing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.builtin import builtin_task
from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import UsageError
from zoo.api.problem import ImageInput, Problem
from zoo.api.recipe import Augment
from zoo.api.task import Batch, Case, Purpose
from zoo.data.embedded import scenes
from zoo.tasks.object_detection.augment import augment
from zoo.tasks.object_detection.by_class import wrong_picture
from zoo.tasks.object_detection.dataset import hide
from zoo.tasks.object_detection.facts import detector_signature
from zoo.tasks.object_detection.precision import precision

TASK = builtin_task("object-detection")
INPUT = ImageInput(size=(96, 96), mean=(0.0,), std=(1.0,))


@pytest.fixture(scope="module")
def card() -> DataCard:
    return TASK.data.check(TASK.data.detect(DataRequest(source="digit_scenes")), progress=lambda *_: None)


@pytest.fixture(scope="module")
def problem(card: DataCard) -> Problem:
    return TASK.problem(card, INPUT)


def test_the_card(card: DataCard, problem: Problem) -> None:
    assert card.counts() == {"train": 2400, "validation": 240, "test": 400}
    assert problem.classes == tuple("0123456789")
    assert problem.facts == {"max_detections": 20}


def test_a_batch(card: DataCard, problem: Problem) -> None:
    data = TASK.tensors.dataset(card, "test", problem)
    world = scenes.load("test")
    batch = data.batch([3, 19])
    assert torch.equal(batch["image"][:, 0], torch.from_numpy(world.images[[3, 19]].copy()))
    assert torch.equal(batch["boxes"][0], torch.from_numpy(world.boxes[3].copy()))
    assert batch["boxes"][1].shape == (0, 4) and batch["labels"][1].shape == (0,), "an empty scene"
    assert data.ready(batch)["input"].shape == (2, 3, 96, 96)


def test_boxes_stretch_with_the_picture(card: DataCard) -> None:
    wide = TASK.tensors.dataset(card, "test", TASK.problem(card, ImageInput(size=(48, 192), mean=(0.0,), std=(1.0,))))
    expected = scenes.load("test").boxes[3] * [2, 0.5, 2, 0.5]
    np.testing.assert_allclose(wide.batch([3])["boxes"][0].numpy(), expected)


def test_a_cropping_input_is_refused(card: DataCard) -> None:
    cropping = TASK.problem(card, ImageInput(size=(96, 96), resize=110))
    with pytest.raises(UsageError, match="crops"):
        TASK.graphs.preprocess(cropping)


@pytest.mark.parametrize(
    "change", [Augment(flip=True), Augment(shift=0.2), Augment(scale=0.4), Augment(shift=0.1, scale=0.3, flip=True)]
)
def test_changed_boxes_are_still_tight(card: DataCard, problem: Problem, change: Augment) -> None:
    data = TASK.tensors.dataset(card, "train", problem)
    batch = TASK.tensors.augment(data.batch(range(24)), change, torch.Generator().manual_seed(1))
    again = TASK.tensors.augment(data.batch(range(24)), change, torch.Generator().manual_seed(1))
    assert torch.equal(batch["image"], again["image"])
    assert not torch.equal(batch["image"], data.batch(range(24))["image"])
    for image, boxes in zip(batch["image"], batch["boxes"], strict=True):
        assert bool((boxes >= 0).all()) and bool((boxes <= 96).all())
        for left, top, right, bottom in boxes.tolist():
            if min(left, top) == 0 or max(right, bottom) == 96:
                continue  # cut at the edge: what is left of the ink need not span the box
            part = image[0, max(0, int(top) - 1) : int(bottom) + 2, max(0, int(left) - 1) : int(right) + 2] > 30
            rows, columns = part.any(1).sum().item(), part.any(0).sum().item()
            assert abs(rows - (bottom - top)) < 3.5 and abs(columns - (right - left)) < 3.5


def test_rotation_is_refused_and_colour_keeps_boxes(card: DataCard, problem: Problem) -> None:
    batch = TASK.tensors.dataset(card, "train", problem).batch([0])
    with pytest.raises(UsageError, match="not rotated"):
        TASK.tensors.augment(batch, Augment(rotate=5.0), torch.Generator())
    changed = TASK.tensors.augment(batch, Augment(color=0.4), torch.Generator().manual_seed(0))
    assert torch.equal(changed["boxes"][0], batch["boxes"][0]) and not torch.equal(changed["image"], batch["image"])


def test_cases(card: DataCard, problem: Problem) -> None:
    raw = list(TASK.answers.cases(card, problem, Purpose.PIPELINE, limit=9))
    images = [case.inputs["image"] for case in raw]
    assert len({image.shape for image in images}) == len(images), "every size another"
    assert sum(not np.array_equal(image[..., 0], image[..., 2]) for image in images) >= 2, "coloured"
    assert [case.kind for case in raw] == ["realistic", "realistic", "crowd", "empty", "realistic", "uniform"]
    ready = list(TASK.answers.cases(None, problem, Purpose.MODEL, limit=9))
    assert all(case.inputs["input"].shape == (1, 3, 96, 96) for case in ready)
    assert sum(case.gates for case in ready) == 2
    golden = list(TASK.answers.cases(card, problem, Purpose.GOLDEN, limit=5))
    assert len(golden) == 5 and [case.kind for case in golden[:3]] == ["shrunk", "enlarged", "empty"]
    item = next(iter(TASK.answers.cases(card, problem, Purpose.EVALUATION, limit=1)))
    assert item.truth["boxes"].shape == (len(item.truth["labels"]), 4)


def test_perfect_answers_have_perfect_metrics(card: DataCard, problem: Problem, tmp_path: Path) -> None:
    batch = TASK.tensors.dataset(card, "test", problem).batch(range(20))
    boxes, scores = torch.zeros(20, 4, 4), torch.zeros(20, 4, 10)
    for place, (found, labels) in enumerate(zip(batch["boxes"], batch["labels"], strict=True)):
        boxes[place, : len(found)] = found
        scores[place, torch.arange(len(found)), labels] = 0.9
    metrics = TASK.tensors.metrics(problem)
    metrics.update({"boxes": boxes, "scores": scores}, batch)
    assert metrics.compute() == pytest.approx({"map": 1.0, "map50": 1.0, "map75": 1.0})
    names = [path.name for path in metrics.pictures(tmp_path)]
    assert names == ["detections.png", "precision_recall.png", "classes.csv"]
    header, *rows = (tmp_path / "classes.csv").read_text().splitlines()
    assert header == "class,boxes,map,map50"
    assert {row.partition(",")[2].partition(",")[2] for row in rows} == {"1.0000,1.0000"}
    assert sum(int(row.split(",")[1]) for row in rows) == sum(len(labels) for labels in batch["labels"])


def test_pictures_with_mistakes_are_listed_by_their_names(card: DataCard, problem: Problem, tmp_path: Path) -> None:
    batch = TASK.tensors.dataset(card, "test", problem).batch(range(4))
    true = wrong_picture("a", _answer(batch, 3), {"boxes": batch["boxes"][3], "labels": batch["labels"][3]}, CLASSES)
    assert true is None
    none = {key: value[:0] for key, value in _answer(batch, 3).items()}
    missed = wrong_picture("a", none, {"boxes": batch["boxes"][3], "labels": batch["labels"][3]}, CLASSES)
    assert missed is not None
    assert (missed.missed, missed.extra) == (tuple(CLASSES[label] for label in batch["labels"][3].tolist()), ())
    empty = {"boxes": batch["boxes"][3][:0], "labels": batch["labels"][3][:0]}
    extra = wrong_picture("a", _answer(batch, 3), empty, CLASSES)
    assert extra is not None
    assert (extra.missed, extra.extra) == ((), missed.missed)


CLASSES = tuple("0123456789")


def _answer(batch: Batch, index: int) -> dict[str, torch.Tensor]:
    """The true boxes as an answer that is sure of them."""
    labels = batch["labels"][index]
    return {"boxes": batch["boxes"][index], "labels": labels, "scores": torch.full((len(labels),), 0.9)}


def test_showing(card: DataCard, problem: Problem) -> None:
    case = next(iter(TASK.answers.cases(card, problem, Purpose.EVALUATION, limit=1)))
    answer = {
        "boxes": np.array([[1, 2, 30, 40.04], [5, 5, 9, 9]], np.float32),
        "scores": np.array([0.75, 0.2], np.float32),
        "labels": np.array([7, 1]),
    }
    shown = TASK.answers.show(case, answer, problem)
    assert shown.text == " 75.00%  7  at 1, 2, 30, 40\nand 1 with a score below 30%"
    assert shown.record == {"detections": [{"label": "7", "score": 0.75, "box": [1.0, 2.0, 30.0, 40.0]}], "found": 2}
    assert shown.picture is not None and shown.picture.size == (384, 384)
    nothing = {name: values[:0] for name, values in answer.items()}
    assert TASK.answers.show(case, nothing, problem).text == "nothing found"


def test_the_ports(problem: Problem) -> None:
    signature = detector_signature(problem, cells=189)
    assert [port.shape for port in signature.outputs] == [("batch", 189, 4), ("batch", 189, 10)]
    assert [port.shape for port in TASK.graphs.signatures(problem).pipeline.outputs] == [("n", 4), ("n",), ("n",)]
    with pytest.raises(UsageError, match="signature"):
        TASK.model_signature(problem)


@pytest.mark.parametrize("limit", [20, 100])
def test_every_detector_is_put_to_nothing_and_to_more_objects_than_it_may_answer(limit: int) -> None:
    problem = Problem(task="object-detection", input=INPUT, classes=("a", "b"), facts={"max_detections": limit})
    images = {case.name: case.inputs["image"] for case in TASK.answers.cases(None, problem, Purpose.PIPELINE, limit=9)}
    assert not images["nothing"].any()
    height, width = images["crowd"].shape[:2]
    side = int(np.ceil(np.sqrt(1.25 * limit)))
    cells = [
        images["crowd"][row * height // side : (row + 1) * height // side, left * width // side :][:, : width // side]
        for row in range(side)
        for left in range(side)
    ]
    assert sum(bool((cell > 60).any()) for cell in cells) >= 1.25 * limit > limit
    assert len({image.shape[0] for image in images.values()}) >= 5, "several sizes"


def test_what_is_found_in_a_crowd_counts_neither_way(problem: Problem) -> None:
    single, inside = [10.0, 10.0, 30.0, 30.0], [50.0, 50.0, 60.0, 60.0]
    crowd = [45.0, 45.0, 90.0, 90.0]
    found = torch.tensor([[inside, single, crowd]])
    scores = torch.zeros(1, 3, 10)
    scores[0, 0, 4], scores[0, 1, 4] = 0.95, 0.9
    truth = {
        "image": torch.zeros(1, 1, 96, 96, dtype=torch.uint8),
        "boxes": [torch.tensor([single])],
        "labels": [torch.tensor([4])],
    }
    results = []
    for ignored in ({}, {"ignored": [torch.tensor([crowd])], "ignored_labels": [torch.tensor([4])]}):
        metrics = TASK.tensors.metrics(problem)
        metrics.update({"boxes": found, "scores": scores}, {**truth, **ignored})
        results.append(metrics.compute()["map"])
    assert results == pytest.approx([0.5, 1.0], abs=1e-6)


def test_the_numpy_metric_ignores_what_the_other_one_ignores() -> None:
    box, crowd = [10.0, 10.0, 40.0, 40.0], [50.0, 50.0, 90.0, 90.0]
    answer = {
        "boxes": np.array([box, [60.0, 60.0, 70.0, 70.0]], np.float32),
        "scores": np.array([0.8, 0.9], np.float32),
        "labels": np.array([2, 4]),
    }
    truth = {"boxes": np.array([box], np.float32), "labels": np.array([2])}
    ignored = {"ignored": np.array([crowd], np.float32), "ignored_labels": np.array([4])}
    cases = [Case(name="one", kind="realistic", inputs={}, truth={**truth, **ignored})]
    assert precision([answer], cases) == {"map": 1.0, "map50": 1.0}
    empty = {"boxes": np.zeros((0, 4), np.float32), "labels": np.zeros(0, np.int64)}
    nothing = [Case(name="one", kind="realistic", inputs={}, truth={**empty, **ignored})]
    assert precision([answer], nothing) == {}  # nothing to measure is no 0


def test_ignored_boxes_move_with_their_picture() -> None:
    image = torch.zeros(1, 1, 40, 40, dtype=torch.uint8)
    image[0, 0, 10:20, 4:12] = 255
    box, label = torch.tensor([[4.0, 10.0, 12.0, 20.0]]), torch.tensor([1])
    batch = {"image": image, "boxes": [box], "labels": [label], "ignored": [box], "ignored_labels": [label]}
    for seed in range(4):
        changed = augment(batch, Augment(flip=True, shift=0.2), torch.Generator().manual_seed(seed))
        assert torch.equal(changed["ignored"][0], changed["boxes"][0])
        assert torch.equal(changed["ignored_labels"][0], changed["labels"][0])


def test_a_crowd_is_not_learnt_as_background() -> None:
    picture = torch.full((1, 6, 6), 10, dtype=torch.uint8)
    picture[0, 0:4, 0:4] = 200
    hide(picture, torch.tensor([[0.0, 0.0, 4.0, 4.0]]), torch.tensor([[0.0, 0.0, 2.0, 2.0]]))
    mean = round((16 * 200 + 20 * 10) / 36)
    assert set(picture[0, 0:2, 0:2].flatten().tolist()) == {200}  # an object in it stays
    assert set(picture[0, 2:4, 0:4].flatten().tolist()) == {mean}
    assert set(picture[0, 4:, :].flatten().tolist()) == {10}
