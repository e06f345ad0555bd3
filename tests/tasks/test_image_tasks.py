"""The two tasks on pictures keep the protocol, from data to what people see."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from tests.builtin import builtin_task, read_one
from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import BadFile
from zoo.api.parts import Task
from zoo.api.problem import ImageInput, Problem
from zoo.api.recipe import Augment
from zoo.api.task import Purpose
from zoo.tasks.image_classification.metrics import ClassificationMetrics
from zoo.tasks.image_reconstruction.metrics import ReconstructionMetrics

TASKS: list[Task] = [builtin_task("image-classification"), builtin_task("image-reconstruction")]
INPUT = ImageInput(size=(28, 28), channels=1, mean=(0.1307,), std=(0.3081,), any_channels=True)


def digits(task: Task) -> DataCard:
    return task.data.check(task.data.detect(DataRequest(source="digits")), progress=lambda *_: None)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_one_batch_from_the_data_to_the_model(task: Task) -> None:
    card = digits(task)
    problem = task.problem(card, INPUT)
    dataset = task.tensors.dataset(card, "train", problem)
    batch = dataset.batch([3, 1, 4])
    moved = task.tensors.augment(batch, Augment(shift=0.1), torch.Generator().manual_seed(0))
    ready = dataset.ready(moved)
    given = task.model_signature(problem).inputs[0]
    assert ready[given.name].shape == (3, *given.shape[1:]) and ready[given.name].dtype == torch.float32
    assert not torch.equal(moved["image"], batch["image"])
    assert len(dataset) == 9000


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_two_ends_fit_the_signatures(task: Task) -> None:
    problem = task.problem(digits(task), INPUT)
    case = next(iter(task.answers.cases(None, problem, Purpose.PIPELINE, limit=1)))
    raw, answer = (
        task.graphs.signatures(problem).pipeline.inputs[0],
        task.graphs.signatures(problem).pipeline.outputs[0],
    )
    given, made = task.model_signature(problem).inputs[0], task.model_signature(problem).outputs[0]
    assert str(case.inputs[raw.name].dtype) == raw.dtype
    prepared = task.graphs.preprocess(problem)(torch.from_numpy(case.inputs[raw.name]))
    assert prepared.shape == (1, *given.shape[1:])
    finished = task.graphs.postprocess(problem)(torch.zeros(1, *(int(size) for size in made.shape[1:])))
    assert tuple(finished.shape) == answer.shape and str(finished.numpy().dtype) == answer.dtype


def test_channels_follow_the_data_where_the_model_takes_any() -> None:
    colour = DataCard(source=digits(TASKS[0]).source, splits={}, facts={"channels": 3})
    for task in TASKS:
        wide = task.problem(colour, INPUT).image
        assert wide.channels == 3 and wide.mean == (0.1307,) * 3 and wide.std == (0.3081,) * 3
        fixed = ImageInput(size=(28, 28))
        assert task.problem(digits(task), fixed).input is fixed
        narrow = task.problem(digits(task), ImageInput(size=(8, 8), any_channels=True)).image
        assert narrow.channels == 1 and narrow.mean == pytest.approx((0.449,))


def test_a_file_is_read_or_refused_with_a_sentence(tmp_path: Path) -> None:
    problem = Problem(task="image-classification", input=INPUT)
    Image.new("L", (5, 4), 9).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("<html>")
    for task in TASKS:
        assert read_one(task, tmp_path / "a.png", problem)["image"].shape == (4, 5, 3)
        with pytest.raises(BadFile, match=r"b\.png looks like HTML"):
            read_one(task, tmp_path / "b.png", problem)
        with pytest.raises(BadFile, match=r"none\.png cannot be read: No such file"):
            read_one(task, tmp_path / "none.png", problem)


def test_a_classification_is_shown_as_bars_a_record_and_a_picture() -> None:
    task = builtin_task("image-classification")
    problem = Problem(task=task.name, input=INPUT, classes=("cat", "dog", "eel"))
    case = next(iter(task.answers.cases(None, problem, Purpose.PIPELINE, limit=1)))
    shown = task.answers.show(case, {"probabilities": np.array([0.1, 0.7, 0.2], np.float32)}, problem, limit=2)
    assert [line.split() for line in shown.text.splitlines()] == [
        ["70.00%", "█" * 14, "dog"],
        ["20.00%", "█" * 4, "eel"],
    ]
    assert shown.record["classes"] == [
        {"name": "dog", "probability": pytest.approx(0.7)},
        {"name": "eel", "probability": pytest.approx(0.2)},
    ]
    assert shown.picture is not None and min(shown.picture.size) >= 256


def test_a_reconstruction_is_shown_beside_its_original() -> None:
    task = builtin_task("image-reconstruction")
    problem = Problem(task=task.name, input=INPUT)
    case = next(iter(task.answers.cases(None, problem, Purpose.EVALUATION, limit=1)))
    assert case.truth.shape == (28, 28, 1)
    shown = task.answers.show(case, {"image_out": case.truth}, problem)
    assert shown.record == {"height": 28, "width": 28, "channels": 1}
    assert shown.picture is not None and shown.picture.size == (520, 256)
    left, right = shown.picture.crop((0, 0, 256, 256)), shown.picture.crop((264, 0, 520, 256))
    assert left.tobytes() == right.tobytes()


def test_controls_that_do_not_apply_say_why() -> None:
    problem = Problem(task="image-reconstruction", input=INPUT)
    absent = {
        one.name: one.reason
        for one in builtin_task("image-reconstruction").answers.controls(problem)
        if not one.applies
    }
    assert absent == {"classes": "a reconstruction has no classes"}
    many = Problem(task="image-classification", input=INPUT, classes=("a", "b"))
    assert all(one.applies for one in builtin_task("image-classification").answers.controls(many))


def test_accuracy_confusion_and_worst_mistakes(tmp_path: Path) -> None:
    metrics = ClassificationMetrics([f"c{number}" for number in range(7)])
    label = torch.tensor([0, 1, 2, 3, 4, 5, 6, 0])
    logits = 9.0 * F.one_hot(torch.tensor([0, 1, 2, 3, 4, 5, 0, 1]), 7).float()
    logits[6, 6] = -5.0  # the truth comes last
    images = torch.arange(8, dtype=torch.uint8).view(8, 1, 1, 1).expand(8, 1, 4, 4)
    names = [f"photos/{number}.png" for number in range(7)] + ["=a.png"]
    for part in (slice(0, 3), slice(3, 8)):
        batch = {"image": images[part], "label": label[part], "name": names[part]}
        metrics.update({"logits": logits[part]}, batch)
    assert metrics.compute() == {"top1": pytest.approx(6 / 8)}
    assert metrics.intervals() == {"top1": pytest.approx((0.409281, 0.928523), abs=1e-5)}
    assert metrics.calibration_error() == pytest.approx(0.24926, abs=1e-4)
    assert metrics.matrix is not None and metrics.matrix[6, 0] == 1 and metrics.matrix.trace() == 6
    assert [(one.label, one.answer, int(one.image[0, 0, 0])) for _, one in metrics.worst.rows] == [(6, 0, 6), (0, 1, 7)]
    files = [path.name for path in metrics.pictures(tmp_path)]
    assert files == [
        "confusion.png",
        "classes.csv",
        "calibration.png",
        "calibration.csv",
        "mistakes.png",
        "mistakes.csv",
    ]
    header, *rows = (tmp_path / "mistakes.csv").read_text().splitlines()
    assert (header, [row.split(",")[:3] for row in rows]) == (
        "file,truth,answer,probability",
        [["photos/6.png", "c6", "c0"], ["'=a.png", "c0", "c1"]],
    )
    assert (tmp_path / "classes.csv").read_text().splitlines()[:3] == [
        "class,items,recall,95 % interval,precision",
        "c0,2,0.5000,0.0945 to 0.9055,0.5000",
        "c1,1,1.0000,0.2065 to 1.0000,0.5000",
    ]
    assert all(Image.open(path).size[0] > 200 for path in tmp_path.glob("*.png"))


def test_few_classes_have_no_top5_and_a_thousand_still_fit_a_picture(tmp_path: Path) -> None:
    for count in (2, 6, 9, 10, 1000):
        metrics = ClassificationMetrics([f"class {number}" for number in range(count)])
        label = torch.tensor([0, 1])
        metrics.update({"logits": torch.eye(2, count)}, {"image": torch.zeros(2, 1, 2, 2).byte(), "label": label})
        assert metrics.compute()["top1"] == 1.0
        assert ("top5" in metrics.compute()) == (count >= 10)
        names = [path.name for path in metrics.pictures(tmp_path)]
        assert names == ["confusion.png", "classes.csv", "calibration.png", "calibration.csv"]


@pytest.mark.parametrize("side", [28, 8])
def test_psnr_and_ssim_are_those_of_levels(side: int, tmp_path: Path) -> None:
    image = ImageInput(size=(side, side), channels=1, mean=(0.5,), std=(0.25,))
    metrics = ReconstructionMetrics(image)
    original = torch.rand(4, 1, side, side, generator=torch.Generator().manual_seed(0)) * 0.8
    ready = (original - 0.5) / 0.25
    metrics.update({"reconstruction": ready + 0.1 / 0.25}, {"input": ready})
    found = metrics.compute()
    assert found["psnr"] == pytest.approx(20.0, abs=1e-3)
    assert 0.5 < found["ssim"] < 1.0
    assert [path.name for path in metrics.pictures(tmp_path)] == ["reconstructions.png"]


TORCH_FREE = """
import sys
import zoo.tasks.plugin
list(zoo.tasks.plugin.zoo_tasks()), list(zoo.tasks.plugin.zoo_trainers())
assert not {"numpy", "torch", "PIL"} & set(sys.modules)
from zoo.api.data import DataRequest
from zoo.api.problem import ImageInput
from zoo.api.task import Purpose
from zoo.registry.catalog import Catalog
catalog = Catalog.discover()
image = ImageInput(size=(28, 28), channels=1, mean=(0.1,), std=(0.3,))
for name in ("image-classification", "image-reconstruction"):
    task = catalog.make_task(name)
    card = task.data.check(task.data.detect(DataRequest(source="digits")), progress=lambda *_: None)
    problem = task.problem(card, image)
    cases = [case for purpose in Purpose for case in task.answers.cases(card, problem, purpose, limit=8)]
    task.answers.controls(problem)
assert len(cases) > 20 and "numpy" in sys.modules
assert not {"torch", "torchvision", "torchmetrics", "matplotlib", "onnxruntime"} & set(sys.modules)
"""


def test_all_but_the_torch_parts_run_where_torch_is_not_installed() -> None:
    subprocess.run([sys.executable, "-c", TORCH_FREE], check=True)
