"""Resized pictures on the disk: bounded, never trusted when damaged or another's, and never needed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.data.image.test_fast_reading import INPUTS, folder
from zoo.api.errors import UsageError
from zoo.data.image import dataset
from zoo.data.image.dataset import OnDemand, for_training, open_split
from zoo.data.image.picture_cache import PictureRows, cache_limit, kept_splits, open_rows

KEY = ("layout", "contents")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ZOO_PICTURE_CACHE", raising=False)
    return tmp_path / "cache" / "pictures"


def rows(key: tuple[str, ...] = KEY, *, count: int = 4, row_bytes: int = 6) -> PictureRows:
    opened = open_rows(key, about="four rows", count=count, row_bytes=row_bytes)
    assert opened is not None
    return opened


def row(value: int) -> np.ndarray:
    return np.full((1, 2, 3), value, np.uint8)


def test_what_is_kept_is_there_for_the_next_process_and_nothing_else_is(cache: Path) -> None:
    rows().write(2, row(7))
    again, read = rows(), row(0)
    assert again.read(2, read) and read.tolist() == row(7).tolist()
    assert not again.read(1, read)
    assert not rows(("layout", "other contents")).read(2, read)
    assert not rows(count=5).read(2, read)
    assert [split.about for split in kept_splits()] == ["four rows"] * 3
    assert cache.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("damage", ["flip", "cut", "foreign"])
def test_a_damaged_row_is_not_given(cache: Path, damage: str) -> None:
    rows().write(2, row(7))
    (file,) = cache.glob("*/rows")
    data = bytearray(file.read_bytes())
    data[12 + 1] ^= 1
    file.write_bytes({"flip": bytes(data), "cut": bytes(data[:13]), "foreign": b"something else"}[damage])
    again, read = rows(), row(0)
    assert not again.read(2, read)
    again.write(2, row(7))
    assert again.read(2, read) and rows().read(2, read) and int(read[0, 0, 0]) == 7


@pytest.mark.parametrize("place", ["pictures", "split", "rows"])
def test_what_another_user_may_write_is_not_used(cache: Path, place: str) -> None:
    rows().write(2, row(7))
    (file,) = cache.glob("*/rows")
    {"pictures": cache, "split": file.parent, "rows": file}[place].chmod(0o722 if place != "rows" else 0o622)
    assert open_rows(KEY, about="", count=4, row_bytes=6) is None


def test_a_link_is_not_followed(cache: Path, tmp_path: Path) -> None:
    rows().write(2, row(7))
    (file,) = cache.glob("*/rows")
    target = tmp_path / "elsewhere"
    file.rename(target)
    file.symlink_to(target)
    assert open_rows(KEY, about="", count=4, row_bytes=6) is None
    assert len(target.read_bytes()) > 0


def test_the_oldest_makes_room_and_what_is_larger_than_the_limit_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_PICTURE_CACHE", "30KB")
    for name in ("first", "second", "third"):
        split = open_rows((name,), about=name, count=1, row_bytes=8192)
        assert split is not None
        split.write(0, np.ones(8192, np.uint8))
        (newest, *_) = kept_splits()
        os.utime(newest.path / "about.json", (1000, 1000 + len(kept_splits())))
    assert sorted(split.about for split in kept_splits()) == ["second", "third"]
    assert open_rows(("large",), about="large", count=4, row_bytes=8192) is None
    monkeypatch.setenv("ZOO_PICTURE_CACHE", "0")
    assert open_rows(KEY, about="", count=4, row_bytes=6) is None


@pytest.mark.parametrize(("text", "size"), [("", 10**10), ("0", 0), ("1.5GB", 15 * 10**8), ("20 mb", 2 * 10**7)])
def test_the_limit_is_a_size(monkeypatch: pytest.MonkeyPatch, text: str, size: int) -> None:
    monkeypatch.setenv("ZOO_PICTURE_CACHE", text)
    assert cache_limit() == size


@pytest.mark.parametrize("text", ["much", "-1", "10 parsecs"])
def test_what_is_no_size_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ZOO_PICTURE_CACHE", text)
    with pytest.raises(UsageError, match="is no size"):
        cache_limit()


def test_a_full_disk_costs_time_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    split, read = rows(), row(0)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    split.write(1, row(3))
    assert not split.read(1, read)


def test_a_cache_that_cannot_be_made_costs_time_and_nothing_else(cache: Path) -> None:
    cache.parent.mkdir()
    cache.write_text("a file")
    assert open_rows(KEY, about="", count=4, row_bytes=6) is None
    assert kept_splits() == ()


def test_a_system_that_cannot_read_by_offset_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "preadv")
    assert open_rows(KEY, about="", count=4, row_bytes=6) is None


def test_threads_may_write_at_once() -> None:
    split = rows(count=64, row_bytes=6)
    threads = [threading.Thread(target=split.write, args=(index, row(index))) for index in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again, read = rows(count=64, row_bytes=6), row(0)
    assert all(again.read(index, read) and int(read[0, 0, 0]) == index for index in range(64))


@pytest.mark.parametrize("training", [False, True])
def test_the_second_opening_of_a_split_decodes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, training: bool
) -> None:
    monkeypatch.setattr(dataset, "free_memory", lambda: 0)
    card = folder(tmp_path / "data")

    def opened() -> OnDemand[object]:
        if training:
            with for_training():
                levels = open_split(card, "train", INPUTS[0]).levels
        else:
            levels = open_split(card, "train", INPUTS[0]).levels
        assert isinstance(levels, OnDemand)
        return levels

    index = torch.arange(len(card.splits["train"]))
    first = opened().take(index)
    second = opened()

    def refuse(sample: object) -> None:
        raise AssertionError(f"{sample} was decoded again")

    monkeypatch.setattr(second, "read", refuse)
    assert torch.equal(second.take(index), first)
    assert [split.pictures for split in kept_splits()] == [len(index)]
