"""Pictures of 16 bits that use fewer: stretched by the data's own range, the same in training and for a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.builtin import builtin_task
from zoo.api.data import DataCard, DataRequest
from zoo.api.problem import ImageInput
from zoo.data.formats.pictures.decode import read_picture
from zoo.data.image.reading import reader
from zoo.data.summary import summarise
from zoo.runs.serialization import to_json
from zoo.tasks.image_classification import device

INPUT = ImageInput(size=(6, 8), channels=1, mean=(0.0,), std=(1.0,), any_channels=True)
TASK = builtin_task("image-classification")


def shot(path: Path, peak: int, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(number).integers(0, peak, (6, 8)).astype(np.uint16)
    levels[0, 0] = peak
    Image.fromarray(levels).save(path)


def checked(folder: Path, peak: int) -> DataCard:
    for name in ("dark", "light"):
        for number in range(12):
            shot(folder / name / f"{number}.png", peak if (name, number) == ("light", 3) else peak // 2, number)
    return TASK.data.check(TASK.data.detect(DataRequest(source=str(folder))), progress=lambda *_: None)


@pytest.mark.parametrize(
    ("peak", "white"), [(255, 255), (256, 1023), (1000, 1023), (4095, 4095), (9000, 16_383), (16_383, 16_383)]
)
def test_the_range_of_the_data_becomes_that_of_eight_bits(tmp_path: Path, peak: int, white: int) -> None:
    card = checked(tmp_path, peak)
    assert card.facts["white_level"] == white
    (sample,) = [sample for items in card.splits.values() for sample in items if sample.name == "light/3.png"]
    pixels = reader(card)(sample)
    assert pixels[0, 0].tolist() == [round(255 * peak / white)] * 3
    problem = TASK.problem(card, INPUT)
    assert problem.facts["white_level"] == white
    (item,) = TASK.data.read(tmp_path / "light" / "3.png", problem)
    assert np.array_equal(item.inputs["image"], pixels)
    assert np.array_equal(device.read(tmp_path / "light" / "3.png", to_json(problem))["image"], pixels)
    batch = TASK.tensors.dataset(card, "train", problem).batch([0])
    name = card.splits["train"][0].name
    assert np.array_equal(batch["image"][0, 0].numpy(), reader(card)(card.splits["train"][0])[..., 0]), name
    said = [note for note in summarise(card, task="image-classification").warnings if note.kind == "range"]
    assert f"levels from 0 to {white:,} become 0 to 255" in said[-1]


def test_what_uses_all_bits_is_read_as_ever(tmp_path: Path) -> None:
    card = checked(tmp_path, 65_535)
    assert "white_level" not in card.facts
    assert TASK.problem(card, INPUT).facts == {}


def test_other_data_are_read_as_the_model_learnt(tmp_path: Path) -> None:
    problem = TASK.problem(checked(tmp_path / "learnt", 4095), INPUT)
    darker = checked(tmp_path / "darker", 900)
    image = TASK.tensors.dataset(darker, "train", problem).batch([0])["image"][0, 0].numpy()
    file = tmp_path / "darker" / darker.splits["train"][0].name
    assert np.array_equal(image, read_picture(file, white=4095)[..., 0])
    assert not np.array_equal(image, read_picture(file, white=1023)[..., 0])
