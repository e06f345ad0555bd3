"""Augmentation moves pixels, keeps the edge, and repeats itself for a seed."""

from __future__ import annotations

import pytest
import torch

from zoo.api.recipe import Augment
from zoo.data.image.augment import augment


def pictures(count: int = 64, channels: int = 1, side: int = 28) -> torch.Tensor:
    random = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, channels, side, side), dtype=torch.uint8, generator=random)


def seed(value: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(value)


def test_nothing_asked_nothing_changed() -> None:
    images = pictures()
    assert augment(images, Augment(), seed()) is images


def test_a_shift_is_a_whole_number_of_pixels_with_the_edge_repeated() -> None:
    images = pictures(channels=3)
    moved = augment(images, Augment(shift=2 / 28), seed())
    assert moved.dtype == torch.uint8 and moved.shape == images.shape
    steps = set()
    for before, after in zip(images, moved, strict=True):
        padded = torch.nn.functional.pad(before[None].float(), (2, 2, 2, 2), mode="replicate")[0].to(torch.uint8)
        found = [(y, x) for y in range(5) for x in range(5) if torch.equal(padded[:, y : y + 28, x : x + 28], after)]
        assert len(found) == 1
        steps.update(found)
    assert len(steps) > 15  # of 25 possible: every picture has its own draw


def test_a_flip_mirrors_about_half_of_the_pictures() -> None:
    images = pictures()
    moved = augment(images, Augment(flip=True), seed())
    mirrored = [torch.equal(after, before.flip(-1)) for before, after in zip(images, moved, strict=True)]
    same = [torch.equal(after, before) for before, after in zip(images, moved, strict=True)]
    assert all(one != other for one, other in zip(mirrored, same, strict=True))
    assert 20 < sum(mirrored) < 44


def test_the_warp_without_room_to_move_is_the_identity() -> None:
    images = pictures(channels=3)
    assert torch.equal(augment(images, Augment(scale=1e-9), seed()), images)


def test_a_quarter_turn_turns_pixels_and_not_shares() -> None:
    wide = torch.zeros(1, 1, 20, 40, dtype=torch.uint8)
    wide[..., 9:11, 12:28] = 255  # a bar of 16 x 2 pixels in the middle
    for value in range(40):
        turned = augment(wide, Augment(rotate=90.0), seed(value))
        lit = (turned > 127).nonzero()[:, 2:].float()
        length = (lit.max(0).values - lit.min(0).values + 1).norm()
        assert 13 < length < 19


@pytest.mark.parametrize("change", [Augment(shift=0.1), Augment(scale=0.2, rotate=10, shift=0.1, flip=True, color=0.3)])
def test_the_same_seed_gives_the_same_pictures(change: Augment) -> None:
    images = pictures(channels=3)
    once, again, other = (augment(images, change, seed(value)) for value in (5, 5, 6))
    assert torch.equal(once, again) and not torch.equal(once, other)


def test_zoom_stays_within_its_limits() -> None:
    images = torch.zeros(200, 1, 60, 60, dtype=torch.uint8)
    images[..., 20:40, 20:40] = 255
    areas = (augment(images, Augment(scale=0.2), seed()) > 127).sum((1, 2, 3)).float().sqrt()
    assert 15.5 < areas.min() < 17.5 and 22.5 < areas.max() < 24.5


def test_colour_changes_brightness_and_stays_in_range() -> None:
    images = pictures(channels=3)
    changed = augment(images, Augment(color=0.5), seed())
    means = changed.float().mean((1, 2, 3))
    assert means.std() > 10
    assert changed.dtype == torch.uint8
