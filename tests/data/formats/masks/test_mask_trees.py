"""Trees of pictures and masks as people have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.builtin import builtin_task
from zoo.api.data import DataCard, DataNote, DataRequest


def paint(path: Path, levels: int = 256) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(sum(str(path).encode()))
    shape = (8, 9) if levels < 256 else (8, 9, 3)
    Image.fromarray(random.integers(0, levels, shape, np.uint8)).save(path)


def card(path: Path) -> DataCard:
    data = builtin_task("semantic-segmentation").data
    return data.check(data.detect(DataRequest(source=str(path))), progress=lambda *_: None)


def pairs(found: DataCard) -> dict[str, str]:
    return {sample.name: sample.mask for items in found.splits.values() for sample in items}


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        ("images/{}.jpg", "ground_truth/{}.png"),
        ("rgb/{}.png", "semantic/{}.png"),
        ("CXR_png/{}.png", "masks/{}_mask.png"),
        ("images/{}.jpg", "annotations/trimaps/{}.png"),
        ("leftImg8bit/{}_leftImg8bit.png", "gtFine/{}_gtFine_labelIds.png"),
        ("images/{}.jpg", "masks/{}_labelIds.png"),
        ("images/{}_sat.jpg", "masks/{}_mask.png"),
        ("{}.jpg", "{}.png"),
        ("{}.jpeg", "{}_gt.png"),
        ("ds/ds/images/{}.JPG", "ds/ds/masks/{}.PNG"),
    ],
)
def test_pictures_find_their_masks(images: str, masks: str, tmp_path: Path) -> None:
    for number in range(4):
        paint(tmp_path / images.format(number))
        paint(tmp_path / masks.format(number), 3)
    found = card(tmp_path)
    root = found.root or tmp_path
    expected = {tmp_path / images.format(number): tmp_path / masks.format(number) for number in range(4)}
    assert {root / name: root / mask for name, mask in pairs(found).items()} == expected


def test_what_lies_beside_cityscapes_masks_is_left_out_aloud(tmp_path: Path) -> None:
    for split in ("train", "val"):
        for number in range(3):
            paint(tmp_path / f"leftImg8bit/{split}/bonn/{number}_leftImg8bit.png")
            for kind, levels in (("labelIds", 3), ("color", 256), ("instanceIds", 3)):
                paint(tmp_path / f"gtFine/{split}/bonn/{number}_gtFine_{kind}.png", levels)
    found = card(tmp_path)
    assert found.counts() == {"train": 3, "validation": 3}
    said = "left out 12 files that show the masks in colours, by instances or with other numbers, such as"
    assert said in " ".join(found.notes)


def test_a_test_set_without_masks_is_left_out_aloud(tmp_path: Path) -> None:
    for number in range(4):
        paint(tmp_path / f"train/{number}.jpg")
        paint(tmp_path / f"train_masks/{number}_mask.gif", 2)
        paint(tmp_path / f"test/{number}.jpg")
    found = card(tmp_path)
    notes = [str(note) for note in found.notes if isinstance(note, DataNote) and note.kind == "left-out"]
    assert notes == ["left out test/: there are no masks for its 4 pictures"]
