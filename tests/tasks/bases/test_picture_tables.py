"""Pictures with a table of what they show: read from a folder, or drawn by the task, the same way everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from zoo import (
    BadFile,
    DataCard,
    DataError,
    DataRequest,
    ImageInput,
    PictureAnswers,
    PictureTableData,
    PictureTensors,
    Problem,
    Purpose,
    Split,
)

GREY = ImageInput(size=(4, 4), channels=1, mean=(0.0,), std=(1.0,))


@dataclass(frozen=True, slots=True)
class Light:
    """One picture and how bright it is."""

    name: str
    values: tuple[float, ...]


class Lights(PictureTableData):
    """A folder with a lights.csv, or `lamps`."""

    table = "lights.csv"
    columns = "path,NAME_level,...[,split]"
    embedded = "lamps"
    embedded_classes = ("left", "right")

    def classes(self, header: Sequence[str]) -> Sequence[str]:
        """The names before _level."""
        return [name.removesuffix("_level") for name in header if name.endswith("_level")]

    def needed(self, classes: Sequence[str]) -> Sequence[str]:
        """At least one."""
        return [] if classes else ["NAME_level"]

    def sample(self, name: str, cells: Mapping[str, str], sides: tuple[int, int], classes: Sequence[str]) -> Light:
        """A level no brighter than the picture is wide."""
        values = tuple(float(cells[f"{light}_level"]) for light in classes)
        if max(values) > sides[1]:
            raise ValueError(f"{max(values):g} is more than {sides[1]}")
        return Light(name, values)

    def embedded_split(self, split: Split) -> tuple[Sequence[Light], np.ndarray[Any, np.dtype[np.uint8]]]:
        """Three grey pictures a split, as bright as their numbers."""
        levels = np.arange(3, dtype=np.uint8) + {"train": 10, "validation": 20, "test": 30}[split]
        samples = [Light(f"{split}/{index}", (float(level), 0.0)) for index, level in enumerate(levels)]
        return samples, np.broadcast_to(levels[:, None, None], (3, 4, 4)).copy()


class LightAnswers(PictureAnswers):
    """Levels."""

    data = Lights

    def truth(self, sample: Light, pixels: Any, problem: Problem) -> tuple[float, ...]:  # noqa: ARG002
        """As the table says."""
        return sample.values


class LightTensors(PictureTensors):
    """Pictures and their levels, one after the other."""

    data = Lights

    def targets(self, card: DataCard, split: Split, image: ImageInput) -> Mapping[str, Tensor]:  # noqa: ARG002
        """level float32 [n, k]."""
        return {"level": torch.tensor([sample.values for sample in card.splits[split]])}


def folder(place: Path, *lines: str, header: str = "path,left_level,right_level,split") -> DataRequest:
    """Two pictures of 6 x 5 pixels and a table."""
    for name, level in (("a.png", 40), ("b.png", 80)):
        Image.new("L", (6, 5), level).save(place / name)
    (place / "lights.csv").write_text("\n".join([header, *lines]) + "\n")
    return DataRequest(source=str(place))


def checked(request: DataRequest) -> DataCard:
    return Lights().check(Lights().detect(request), progress=lambda _done, _total: None)


def test_a_table_beside_pictures_becomes_a_card(tmp_path: Path) -> None:
    card = checked(folder(tmp_path, "b.png,1,2,val", "a.png,3,4,train"))
    assert (card.classes, card.source.format) == (("left", "right"), "lights-csv")
    assert card.splits == {"train": (Light("a.png", (3.0, 4.0)),), "validation": (Light("b.png", (1.0, 2.0)),)}
    assert Lights().reader(card)(card.splits["train"][0]).tolist() == [[[40, 40, 40]] * 6] * 5
    assert Lights().stacked(card, "train") is None
    (tmp_path / "a.png").unlink()
    with pytest.raises(BadFile, match=r"a\.png"):
        Lights().reader(card)(card.splits["train"][0])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("gone.png,1,2,train", "No such file"),
        ("b.png,1,x,train", "could not convert string to float: 'x'"),
        ("b.png,7,1,train", "7 is more than 6"),
        ("b.png,1,2,later", "the split 'later' is none of"),
        ("b.png,1,2", "it has 3 cells, the first line has 4"),
    ],
)
def test_every_bad_line_is_named(line: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        checked(folder(tmp_path, "a.png,1,2,train", line))
    (problem,) = caught.value.problems
    assert problem.where == "lights.csv, line 3"
    assert reason in problem.reason


def test_what_is_no_such_folder_is_told_what_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no lights\.csv") as caught:
        Lights().detect(DataRequest(source=str(tmp_path)))
    assert caught.value.hint == (
        "accepted are a folder with pictures and lights.csv (path,NAME_level,...[,split]); lamps"
    )
    with pytest.raises(DataError, match="is not a folder"):
        Lights().detect(DataRequest(source=str(tmp_path / "none")))
    with pytest.raises(BadFile, match="'path,split', without NAME_level"):
        checked(folder(tmp_path, header="path,split"))
    with pytest.raises(BadFile, match="without path"):
        checked(folder(tmp_path, header="left_level"))


def test_embedded_pictures_need_no_folder() -> None:
    card = checked(DataRequest(source="lamps"))
    assert (card.counts(), card.facts["channels"]) == ({"train": 3, "validation": 3, "test": 3}, 1)
    sample = card.splits["test"][2]
    assert Lights().reader(card)(sample)[0, 0].tolist() == [32, 32, 32]
    few = replace(card, splits={"test": card.splits["test"][1:]})
    stacked = Lights().stacked(few, "test")
    assert stacked is not None
    assert stacked[:, 0, 0].tolist() == [31, 32], "the pictures of the samples that the card holds"


def test_a_split_has_pictures_and_targets_by_index() -> None:
    card = checked(DataRequest(source="lamps"))
    problem = Lights().problem("lights", card, GREY)
    batch = LightTensors().dataset(card, "train", problem).batch([2, 0])
    assert batch["image"][:, 0, 0, 0].tolist() == [12, 10]
    assert batch["level"].tolist() == [[12.0, 0.0], [10.0, 0.0]]
    assert batch["index"].tolist() == [2, 0]
    with pytest.raises(DataError, match="lamps has no test split"):
        LightTensors().dataset(replace(card, splits={"train": card.splits["train"]}), "test", problem)


def test_a_model_of_the_embedded_classes_is_tried_with_the_embedded_pictures() -> None:
    card = checked(DataRequest(source="lamps"))
    problem = Lights().problem("lights", card, GREY)
    for given in (card, None):
        (case, *_) = LightAnswers().cases(given, problem, Purpose.EVALUATION, limit=9)
        assert case.truth in [sample.values for sample in card.splits["test"]]
    other = replace(problem, classes=("up",))
    assert list(LightAnswers().cases(None, other, Purpose.EVALUATION, limit=9)) == []
