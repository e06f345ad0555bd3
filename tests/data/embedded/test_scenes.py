from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pytest

from zoo.api.data import Split
from zoo.data.embedded import digits, scenes

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
SHA256_OF_TEST = "34d75e8ce8f55f3e03db3db6055213187af0417f7f9c36184831949164e77149"


@pytest.mark.parametrize("split", SPLITS)
def test_boxes_are_the_tight_frames_of_the_ink(split: Split) -> None:
    world = scenes.load(split)
    for mask, boxes, labels in zip(world.masks, world.boxes, world.labels, strict=True):
        covered = np.zeros_like(mask)
        for (left, top, right, bottom), label in zip(boxes.astype(int), labels, strict=True):
            part = mask[top:bottom, left:right]
            assert set(np.unique(part)) - {0} == {label + 1}
            ink = part > 0
            assert ink[0].any() and ink[-1].any() and ink[:, 0].any() and ink[:, -1].any()
            covered[top:bottom, left:right] += 1
        assert covered.max(initial=0) <= 1, "two digits overlap"
        assert not mask[covered == 0].any()


def test_scenes_hold_none_to_four_digits_of_every_kind() -> None:
    world = scenes.load("test")
    assert world.images.shape == world.masks.shape == (400, 96, 96)
    assert np.bincount([len(labels) for labels in world.labels]).tolist() == [20, 90, 91, 97, 102]
    assert set(np.concatenate(world.labels).tolist()) == set(range(10))


def test_a_scene_of_the_test_split_is_made_of_test_digits() -> None:
    world = scenes.load("test")
    first = next(number for number, labels in enumerate(world.labels) if len(labels))
    left, top, right, bottom = world.boxes[first][0].astype(int)
    crop = world.images[first, top:bottom, left:right]
    pack = digits.load()
    assert any(_holds(picture, crop) for picture in pack.test_images)
    assert not any(_holds(picture, crop) for picture in pack.train_images)


def _holds(picture: npt.NDArray[np.uint8], crop: npt.NDArray[np.uint8]) -> bool:
    ink = picture > scenes.INK
    if not ink.any():
        return False
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    return np.array_equal(picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], crop)


def test_the_same_scenes_come_out_everywhere() -> None:
    world = scenes.load("test")
    parts = [world.images.tobytes(), world.masks.tobytes(), *(boxes.tobytes() for boxes in world.boxes)]
    assert (
        hashlib.sha256(b"".join(parts)).hexdigest()
        == "34d75e8ce8f55f3e03db3db6055213187af0417f7f9c36184831949164e77149"
    )
