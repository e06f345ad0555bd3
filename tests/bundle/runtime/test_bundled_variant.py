"""Batches that run.py makes of pictures: their order, their sizes, and what cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from zoo.bundle.runtime.bundled_variant import answers, in_batches, unlike

NAMES = ({"image": "images"}, {"mean": "mean"})
RECORD = {"name": "fixed-2x3", "signature": {"inputs": [{"name": "image", "shape": [2, 3, 3]}]}}


class Mean:
    """Answers the mean of each picture, and notes how many came together."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, feeds: dict[str, Any]) -> dict[str, Any]:
        self.sizes.append(len(feeds["images"]))
        return {"mean": feeds["images"].mean((1, 2))}


def pictures(*heights: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, height in enumerate(heights):
        yield str(index), {"image": np.full((height, 2), float(index))}


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_answers_come_in_the_order_of_the_pictures(size: int) -> None:
    mean = Mean()
    rows = list(in_batches(mean, pictures(1, 2, 1, 1, 3, 2, 1, 1), NAMES, size))
    assert [(name, float(answer["mean"])) for name, answer in rows] == [(str(n), float(n)) for n in range(8)]
    assert max(mean.sizes) <= size and sum(mean.sizes) == 8


def test_equal_pictures_fill_their_batches() -> None:
    mean = Mean()
    list(in_batches(mean, pictures(1, 2, 1, 2, 1, 2), NAMES, 3))
    assert mean.sizes == [3, 3]


def test_a_rare_size_does_not_hold_all_others_back() -> None:
    mean, names = Mean(), list[str]()
    rows = in_batches(mean, pictures(9, *[1] * 20), NAMES, 2)
    for name, _ in rows:
        names.append(name)
        if name == "0":
            assert sum(mean.sizes) < 21  # it was answered before all others had come
    assert names == [str(n) for n in range(21)]


def test_what_stands_before_an_unreadable_picture_is_answered() -> None:
    def items() -> Iterator[tuple[str, dict[str, Any]]]:
        yield from pictures(1, 1)
        raise ValueError("torn")

    names = list[str]()
    with pytest.raises(ValueError, match="torn"):
        names.extend(name for name, _ in in_batches(Mean(), items(), NAMES, 5))
    rows = in_batches(Mean(), items(), NAMES, 5)
    assert [next(rows)[0], next(rows)[0]] == ["0", "1"]


def test_another_size_is_named() -> None:
    assert unlike({"image": np.zeros((2, 3, 3))}, RECORD) == ""
    assert unlike({"image": np.zeros((3, 2, 3))}, RECORD).startswith(
        "its image is 3x2, and the variant fixed-2x3 takes 2x3 (height x width)"
    )


@pytest.mark.parametrize("size", [0, -3])
def test_a_batch_of_none_is_refused(size: int) -> None:
    options = SimpleNamespace(record={"signature": {"inputs": []}}, batch_size=size)
    with pytest.raises(ValueError, match=f"--batch-size is {size}; it must be 1 or more"):
        answers(lambda feeds: feeds, [], {}, options, ValueError)
