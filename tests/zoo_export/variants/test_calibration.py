"""Calibration items are read in groups where their shapes are equal."""

from __future__ import annotations

import numpy as np
import pytest

from zoo_export.variants.calibration import ItemReader, whole_groups


@pytest.mark.parametrize(("count", "group"), [(128, 16), (100, 10), (17, 1), (30, 15), (5, 5)])
def test_equal_shapes_are_read_in_groups_of_equal_size(count: int, group: int) -> None:
    reader = ItemReader([{"input": np.full((1, 3), index, np.float32)} for index in range(count)])
    assert (reader.group, len(reader) % reader.group) == (group, 0)
    reader.set_range(count - group, count)
    read = []
    while (item := reader.get_next()) is not None:
        read.append(int(item["input"][0, 0]))
    assert read == list(range(count - group, count))


def test_items_of_different_lengths_are_read_one_by_one() -> None:
    assert ItemReader([{"ids": np.zeros((1, length), np.int64)} for length in (4, 4, 5, 4)]).group == 1


@pytest.mark.parametrize(("count", "kept"), [(127, 112), (128, 128), (17, 16), (5, 5)])
def test_a_group_that_is_not_whole_is_left_out(count: int, kept: int) -> None:
    inputs = tuple({"input": np.zeros((1, 3), np.float32)} for _ in range(count))
    assert len(whole_groups(inputs)) == kept
    assert len(whole_groups((*inputs, {"input": np.zeros((1, 4), np.float32)}))) == count + 1
