"""The task on its embedded scenes: data, augmentation, cases, metrics, postprocessing and showing."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from tests.builtin import builtin_task
from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import UsageError
from zoo.api.problem import ImageInput, Problem
from zoo.api.recipe import Augment
from zoo.api.task import Case, Purpose
from zoo.data.embedded import scenes
from zoo.tasks.semantic_segmentation.device import class_map as palette_picture
from zoo.tasks.semantic_segmentation.postprocess import class_map
from zoo.training.trainers.segmentation import pixel_loss

TASK = builtin_task("semantic-segmentation")
INPUT = ImageInput(size=(96, 96), mean=(0.0,), std=(1.0,))


@pytest.fixture(scope="module")
def card() -> DataCard:
    return TASK.data.check(TASK.data.detect(DataRequest(source="digit_scenes")), progress=lambda *_: None)


@pytest.fixture(scope="module")
def problem(card: DataCard) -> Problem:
    return TASK.problem(card, INPUT)


def logits_of(mask: torch.Tensor, classes: int = 11) -> torch.Tensor:
    """Scores that say just what the mask says."""
    return 9.0 * F.one_hot(mask.long() % classes, classes).permute(0, 3, 1, 2).float()


def test_the_scenes_card(card: DataCard, problem: Problem) -> None:
    assert card.counts() == {"train": 2400, "validation": 240, "test": 400}
    assert problem.classes == ("background", *"0123456789")


def test_a_batch_of_scenes(card: DataCard, problem: Problem) -> None:
    data = TASK.tensors.dataset(card, "test", problem)
    world = scenes.load("test")
    batch = data.batch([3, 19])
    assert torch.equal(batch["image"][:, 0], torch.from_numpy(world.images[[3, 19]].copy()))
    assert torch.equal(batch["mask"], torch.from_numpy(world.masks[[3, 19]].copy()))
    assert batch["mask"][1].sum() == 0, "an empty scene"
    assert data.ready(batch)["input"].shape == (2, 3, 96, 96)


def test_masks_stretch_with_the_picture(card: DataCard) -> None:
    wide = TASK.tensors.dataset(card, "test", TASK.problem(card, ImageInput(size=(48, 192), mean=(0.0,), std=(1.0,))))
    mask = wide.batch([3])["mask"][0]
    whole = scenes.load("test").masks[3]
    assert mask.shape == (48, 192)
    np.testing.assert_array_equal(mask.numpy()[:, ::2], whole[1::2])
    assert set(mask.unique().tolist()) == set(np.unique(whole).tolist())


@pytest.mark.parametrize(
    "change", [Augment(flip=True), Augment(shift=0.2), Augment(scale=0.4), Augment(rotate=20), Augment(color=0.3)]
)
def test_masks_move_with_their_pictures(card: DataCard, problem: Problem, change: Augment) -> None:
    data = TASK.tensors.dataset(card, "train", problem)
    before = data.batch(range(16))
    after = TASK.tensors.augment(before, change, torch.Generator().manual_seed(1))
    again = TASK.tensors.augment(before, change, torch.Generator().manual_seed(1))
    assert torch.equal(after["image"], again["image"]) and torch.equal(after["mask"], again["mask"])
    assert not torch.equal(after["image"], before["image"])
    ink = after["image"][:, 0] > 150
    known = after["mask"] != 255
    digit = (after["mask"] > 0) & known
    # what is bright is a digit's, but for a few pixels of a rim that was drawn between two
    assert float((ink & digit).sum() / (ink & known).sum()) > 0.99


def test_what_moves_in_is_left_open(card: DataCard, problem: Problem) -> None:
    batch = TASK.tensors.dataset(card, "train", problem).batch(range(8))
    moved = TASK.tensors.augment(batch, Augment(shift=0.3), torch.Generator().manual_seed(0))
    open_ = moved["mask"] == 255
    assert 0.02 < float(open_.float().mean()) < 0.6
    assert int(moved["image"][:, 0][open_].max()) < 255


def test_the_loss_leaves_open_pixels_out() -> None:
    mask = torch.tensor([[[0, 1], [255, 255]]])
    logits = torch.zeros(1, 2, 2, 2)
    assert float(pixel_loss(logits, mask)) == pytest.approx(np.log(2))
    logits[..., 1, :] = torch.tensor([[50.0], [-50.0]])[None]
    assert float(pixel_loss(logits, mask)) == pytest.approx(np.log(2))
    assert float(pixel_loss(logits, torch.full((1, 2, 2), 255))) == 0.0


def test_cases_of_many_shapes(card: DataCard, problem: Problem) -> None:
    raw = list(TASK.answers.cases(card, problem, Purpose.PIPELINE, limit=20))
    shapes = [case.inputs["image"].shape for case in raw]
    assert len({shape[0] for shape in shapes if shape}) >= 6
    assert (1, 1, 3) in shapes
    assert sum(not np.array_equal(case.inputs["image"][..., 0], case.inputs["image"][..., 2]) for case in raw) >= 5
    assert [
        case.inputs["image"].shape for case in TASK.answers.cases(None, problem, Purpose.PIPELINE, limit=20)
    ] == shapes
    ready = list(TASK.answers.cases(None, problem, Purpose.MODEL, limit=9))
    assert all(case.inputs["input"].shape == (1, 3, 96, 96) for case in ready)
    golden = list(TASK.answers.cases(card, problem, Purpose.GOLDEN, limit=5))
    assert len(golden) == 5
    item = next(iter(TASK.answers.cases(card, problem, Purpose.EVALUATION, limit=1)))
    assert item.truth.shape == item.inputs["image"].shape[:2]


def test_perfect_scores_have_perfect_metrics(card: DataCard, problem: Problem, tmp_path: Path) -> None:
    batch = TASK.tensors.dataset(card, "test", problem).batch(range(20))
    metrics = TASK.tensors.metrics(problem)
    metrics.update({"logits": logits_of(batch["mask"])}, batch)
    assert metrics.compute() == pytest.approx({"miou": 1.0, "pixel_accuracy": 1.0})
    names = [path.name for path in metrics.pictures(tmp_path)]
    assert names == ["segmentation.png", "confusion.png", "classes.csv"]


def test_wrong_pixels_are_told_by_class_and_by_file(problem: Problem, tmp_path: Path) -> None:
    metrics = TASK.tensors.metrics(problem)
    truth = torch.tensor([[[0, 0, 1, 1, 255, 255]], [[2, 2, 2, 2, 2, 2]]])
    found = torch.tensor([[[0, 1, 1, 1, 1, 0]], [[2, 2, 2, 2, 2, 2]]])
    image = torch.zeros(2, 1, 1, 6, dtype=torch.uint8)
    metrics.update({"logits": logits_of(found)}, {"image": image, "mask": truth, "name": ["a.png", "b.png"]})
    metrics.compute()
    metrics.pictures(tmp_path)
    assert (tmp_path / "mistakes.csv").read_text() == "file,share of right pixels\na.png,0.7500\n"
    _, *rows = (tmp_path / "classes.csv").read_text().splitlines()
    assert [row.split(",")[1:] for row in rows[:4]] == [["2", "0.5000"], ["2", "0.6667"], ["6", "1.0000"], ["0", ""]]


def test_metrics_by_hand_with_open_pixels(problem: Problem) -> None:
    truth = torch.tensor([[[0, 0, 1, 1, 255, 255]]])
    found = torch.tensor([[[0, 1, 1, 1, 1, 0]]])
    metrics = TASK.tensors.metrics(problem)
    batch: dict[str, Any] = {"mask": truth, "image": torch.zeros(1, 3, 1, 6, dtype=torch.uint8)}
    metrics.update({"logits": logits_of(found)}, batch)
    # class 0: 1 of 2 in the union, class 1: 2 of 3; the others are in neither
    assert metrics.compute() == pytest.approx({"miou": (1 / 2 + 2 / 3) / 2, "pixel_accuracy": 3 / 4})


def test_scores_are_enlarged_before_classes_are_chosen(problem: Problem) -> None:
    finish = class_map(problem)
    logits = torch.randn(1, 11, 96, 96, generator=torch.Generator().manual_seed(0))
    image = torch.zeros(37, 181, 3, dtype=torch.uint8)
    found = finish(logits, image)
    assert found.dtype == torch.uint8 and found.shape == (37, 181)
    wanted = F.interpolate(logits, (37, 181), mode="bilinear", align_corners=False)[0]
    assert torch.equal(found.long(), wanted.argmax(0))
    first, second = wanted.sort(0, descending=True).values[:2]
    torch.testing.assert_close(finish.margin(logits, image), first - second)
    same = torch.zeros(96, 96, 3, dtype=torch.uint8)
    assert torch.equal(finish(logits, same).long(), logits[0].argmax(0)), "nothing is lost at the model's own size"


def test_many_classes_need_wider_numbers() -> None:
    problem = Problem(task="semantic-segmentation", input=INPUT, classes=tuple(map(str, range(300))))
    assert TASK.graphs.signatures(problem).pipeline.outputs[0].dtype == "int64"
    logits = torch.zeros(1, 300, 4, 4)
    logits[:, 299] = 1
    found = class_map(problem)(logits, torch.zeros(2, 3, 3, dtype=torch.uint8))
    assert found.dtype == torch.int64 and found.unique().tolist() == [299]
    assert palette_picture({"classes": found.numpy()}).mode == "I"


def test_a_cropping_segmenter_is_refused(card: DataCard) -> None:
    with pytest.raises(UsageError, match="crops"):
        TASK.graphs.preprocess(TASK.problem(card, ImageInput(size=(96, 96), resize=110)))


def test_showing_shares_overlay_and_map(card: DataCard, problem: Problem) -> None:
    classes = np.zeros((40, 50), np.uint8)
    classes[:10] = 8
    case = Case(name="one", kind="file", inputs={"image": np.full((40, 50, 3), 200, np.uint8)})
    shown = TASK.answers.show(case, {"classes": classes}, problem)
    assert [line.split() for line in shown.text.splitlines()] == [
        ["75.00%", "█" * 15, "background"],
        ["25.00%", "█" * 5, "7"],
    ]
    assert shown.record == {"classes": [{"name": "background", "share": 0.75}, {"name": "7", "share": 0.25}]}
    assert shown.picture is not None
    pixels = np.asarray(shown.picture)
    assert tuple(pixels[-1, -1]) == (200, 200, 200), "background stays as it is"
    assert tuple(pixels[0, -1]) != (200, 200, 200)
    with Image.open(BytesIO(shown.files["-classes.png"])) as stored:
        np.testing.assert_array_equal(np.asarray(stored), classes)
        assert stored.mode == "P"


def test_the_palette_is_pascal_vocs() -> None:
    numbers = {"classes": np.arange(256, dtype=np.uint8).reshape(16, 16)}
    colours = np.asarray(palette_picture(numbers).convert("RGB")).reshape(256, 3)
    person, monitor = (192, 128, 128), (0, 64, 128)
    assert [tuple(colours[number]) for number in (0, 15, 20, 255)] == [(0, 0, 0), person, monitor, (224, 224, 192)]
