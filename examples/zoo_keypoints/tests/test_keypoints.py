"""The parts of this package against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from zoo_keypoints import tickets
from zoo_keypoints.distillation import hired
from zoo_keypoints.model import Finder
from zoo_keypoints.task import KeypointAnswers, KeypointData
from zoo_keypoints.tensors import InPixels, KeypointTensors, PointMetrics

DATA, TENSORS, ANSWERS = KeypointData(), KeypointTensors(), KeypointAnswers()
detect, check, augment = DATA.detect, DATA.check, TENSORS.augment
PROBLEM = zoo.Problem(task="keypoints", input=zoo.ImageInput(size=(8, 8)), classes=("nose",))

HEADER = "path,nose_x,nose_y,tail_x,tail_y"


def quiet(done: int, total: int) -> None:
    """Progress that nobody watches."""


def folder(place: Path, *lines: str, header: str = f"{HEADER},split") -> zoo.DataRequest:
    """Two pictures of 40 x 20 pixels and a points.csv."""
    for name in ("a.png", "b.png"):
        Image.new("RGB", (40, 20), "white").save(place / name)
    (place / "points.csv").write_text("\n".join([header, *lines]) + "\n")
    return zoo.DataRequest(source=str(place))


def test_a_table_of_points_becomes_a_card(tmp_path: Path) -> None:
    request = folder(tmp_path, "a.png,1,2,3.5,4,train", "b.png,40,20,0,0,val")
    card = check(detect(request), progress=quiet)
    assert card.classes == ("nose", "tail")
    assert card.counts() == {"train": 1, "validation": 1}
    (sample,) = card.splits["train"]
    assert (sample.name, sample.points, sample.sides) == ("a.png", ((1.0, 2.0), (3.5, 4.0)), (20, 40))
    again = check(detect(folder(tmp_path, "b.png,40,20,0,0,val", "a.png,1,2,3.5,4,train")), progress=quiet)
    assert card.fingerprint == again.fingerprint
    other = check(detect(folder(tmp_path, "a.png,1,2,3.5,5,train", "b.png,40,20,0,0,val")), progress=quiet)
    assert card.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a.png,41,2,3,4,train", "nose of a.png is at 41, 2, outside its 40 x 20 pixels"),
        ("a.png,1,2,,4,train", "tail of a.png is at nan, 4, outside its 40 x 20 pixels"),
        ("a.png,1,2,far,4,train", "could not convert string to float: 'far'"),
        ("gone.png,1,2,3,4,train", "No such file or directory"),
        ("a.png,1,2,3,4,sometimes", "the split 'sometimes' is none of train, validation, val, test"),
    ],
)
def test_every_bad_line_is_named(line: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(zoo.DataError) as error:
        check(detect(folder(tmp_path, "b.png,1,2,3,4,train", line)), progress=quiet)
    (problem,) = error.value.problems
    assert problem.where == "points.csv, line 3"
    assert reason in problem.reason


def test_what_is_no_layout_is_told_what_is(tmp_path: Path) -> None:
    with pytest.raises(zoo.DataError, match=r"has no points\.csv") as error:
        detect(zoo.DataRequest(source=str(tmp_path)))
    assert "path,NAME_x,NAME_y" in error.value.hint
    with pytest.raises(zoo.BadFile, match="without nose_y"):
        check(detect(folder(tmp_path, header="path,nose_x")), progress=quiet)


def test_some_are_held_out_where_nobody_says_what_to_choose_by(tmp_path: Path) -> None:
    card = check(detect(folder(tmp_path, "a.png,1,2,3,4", "b.png,1,2,3,4", header=HEADER)), progress=quiet)
    assert card.counts() == {"train": 1, "validation": 1}
    assert card.notes == ("1 of train were held out for validation, by the hash of their names",)


def test_tickets_are_what_their_corners_say() -> None:
    pictures, corners = tickets.load("validation")
    assert pictures.shape == (250, 48, 48)
    assert corners.min() >= 1
    assert corners.max() <= 47
    x, y = corners.mean(1).astype(int).T
    assert (pictures[np.arange(250), y, x] > 130).all()
    edges = np.roll(corners, -1, axis=1) - corners
    after = np.roll(edges, -1, axis=1)
    assert (edges[..., 0] * after[..., 1] > edges[..., 1] * after[..., 0]).all()  # clockwise, as y points down


def batch(points: list[list[float]]) -> zoo.Batch:
    """One black picture of 40 x 20 pixels (width x height) with these points."""
    return {
        "image": torch.zeros(1, 1, 20, 40, dtype=torch.uint8),
        "points": torch.tensor([points]),
        "sides": torch.tensor([[40.0, 20.0]]),
    }


def test_a_card_of_one_ticket_gives_that_ticket() -> None:
    whole = check(detect(zoo.DataRequest(source="tickets")), progress=quiet)
    one = replace(whole, splits={"test": whole.splits["test"][7:8]})
    grey = zoo.ImageInput(size=(tickets.SIDE, tickets.SIDE), channels=1, mean=(0.0,), std=(1.0,))
    problem = DATA.problem("keypoints", whole, grey)
    alone = TENSORS.dataset(one, "test", problem).batch([0])["image"]
    among_all = TENSORS.dataset(whole, "test", problem).batch([7])["image"]
    assert torch.equal(alone, among_all)
    index = int(whole.splits["test"][7].name.partition("/")[2])
    assert torch.equal(alone[0, 0], torch.tensor(tickets.load("test")[0][index]))


def test_metrics_are_shares_and_pixels(tmp_path: Path) -> None:
    metrics = PointMetrics()
    # 3 and 4 pixels off, so 5 away; and 1 pixel off, where 5 % of the longer side are 2
    metrics.update({"points": torch.tensor([[[0.575, 0.7], [0.525, 0.5]]])}, batch([[0.5, 0.5], [0.5, 0.5]]))
    assert metrics.compute() == {"pck": 0.5, "error": pytest.approx(3.0, abs=1e-5)}
    assert [path.name for path in metrics.pictures(tmp_path)] == ["worst.png"]


def test_agreement_is_about_places() -> None:
    inputs = {"image": np.zeros((20, 1000, 3), np.uint8)}
    case = zoo.Case(name="x", kind="realistic", inputs=inputs, truth=[[3, 4]])
    ours, near, far = ({"points": np.array([[x, 0.0]])} for x in (0.0, 0.9, 1.1))
    assert ANSWERS.agreement([ours], [near], cases=[case], noise={}).holds
    assert ANSWERS.metrics([ours], [case], PROBLEM) == {"pck": 1.0, "error": 5.0}
    other = ANSWERS.agreement([ours], [far], cases=[case], noise={})
    assert (other.holds, other.disagreements) == (False, ("x: point 1 is 1.10 pixels away",))
    assert ANSWERS.metrics([ours], [zoo.Case(name="x", kind="noise", inputs=inputs)], PROBLEM) == {}


def test_points_move_with_their_picture() -> None:
    picture = torch.zeros(1, 1, 40, 40)
    picture[0, 0, 10:13, 27:30] = 255
    given = {"image": picture.to(torch.uint8), "points": torch.tensor([[[28.5 / 40, 11.5 / 40]]])}
    generator = torch.Generator()
    for seed in range(5):
        moved = augment(given, zoo.Augment(shift=0.1, scale=0.1, rotate=25.0), generator.manual_seed(seed))
        heat = moved["image"][0, 0].float()
        places = torch.arange(40.0) + 0.5
        centre = torch.stack([heat.sum(0) @ places, heat.sum(1) @ places]) / heat.sum()
        assert (moved["points"][0, 0] * 40 - centre).abs().max() < 0.2
        assert not torch.equal(moved["points"], given["points"])


def test_mirroring_is_refused() -> None:
    with pytest.raises(zoo.UsageError, match="keypoints are not mirrored"):
        augment(batch([[0.0, 0.0]]), zoo.Augment(flip=True), torch.Generator())


def test_answers_are_in_pixels_of_the_given_picture() -> None:
    image = torch.zeros(20, 40, 3, dtype=torch.uint8)
    assert InPixels()(torch.tensor([[[0.5, 0.5], [1.0, 0.0]]]), image).tolist() == [[20.0, 10.0], [40.0, 0.0]]


def test_a_single_hot_cell_is_its_own_centre_of_gravity() -> None:
    model = Finder(1, 1)
    maps = torch.full((1, 1, 4, 4), -100.0)
    maps[0, 0, 1, 3] = 100.0
    model.body, model.maps = torch.nn.Sequential(), torch.nn.Identity()  # type: ignore[assignment]
    assert torch.allclose(model(maps), torch.tensor([[[0.875 * 1.25 - 0.125, 0.375 * 1.25 - 0.125]]]))


def test_a_teacher_of_something_else_is_refused() -> None:
    digit = zoo.ImageInput(size=(28, 28), channels=1, mean=(0.1307,), std=(0.3081,), fixed_size=True)
    problem = zoo.Problem(task="image-classification", input=digit, classes=("cat", "dog"))
    with pytest.raises(zoo.UsageError, match="cnn@digits cannot teach this"):
        hired("cnn@digits", problem)
    teacher = hired("cnn@digits", zoo.Problem(task=problem.task, input=digit, classes=tuple("0123456789")))
    assert not teacher.training
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
