"""Calibration items are read in groups where their shapes are equal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from zoo_export.subject.results import Failed
from zoo_export.variants.calibration import GROUP_BYTES, ItemReader, calibration_inputs, tensor_bytes, whole_groups


@pytest.mark.parametrize(
    ("count", "item_bytes", "group"),
    [
        (128, 1_000, 128),
        (128, 0, 128),
        (128, GROUP_BYTES // 20, 16),
        (112, GROUP_BYTES // 20, 16),
        (96, GROUP_BYTES, 1),
    ],
)
def test_equal_shapes_are_read_in_the_largest_groups_that_fit(count: int, item_bytes: int, group: int) -> None:
    items = [{"input": np.full((1, 3), index, np.float32)} for index in range(count)]
    reader = ItemReader(items, item_bytes=item_bytes)
    assert (reader.group, len(reader) % reader.group) == (group, 0)
    reader.set_range(count - group, count)
    read = []
    while (item := reader.get_next()) is not None:
        read.append(int(item["input"][0, 0]))
    assert read == list(range(count - group, count))


def test_items_of_different_lengths_are_read_one_by_one() -> None:
    items = [{"ids": np.zeros((1, length), np.int64)} for length in (4, 4, 5, 4)]
    assert ItemReader(items, item_bytes=8).group == 1


def test_the_bytes_of_an_item_are_those_of_the_tensors_that_are_made_of_it() -> None:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Concat", ["a", "a"], ["y"], axis=0)],
        "two",
        [value("x", TensorProto.FLOAT, ["batch", 8])],
        [value("y", TensorProto.FLOAT, ["twice", 8])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    assert tensor_bytes(model, {"x": np.zeros((3, 8), np.float32)}) == 4 * 3 * 8
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


@pytest.mark.parametrize(("count", "kept"), [(127, 112), (128, 128), (17, 16), (5, 5)])
def test_a_group_that_is_not_whole_is_left_out(count: int, kept: int) -> None:
    inputs = tuple({"input": np.zeros((1, 3), np.float32)} for _ in range(count))
    assert len(whole_groups(inputs)) == kept
    assert len(whole_groups((*inputs, {"input": np.zeros((1, 4), np.float32)}))) == count + 1


@pytest.mark.parametrize("count", [0, 3, 15])
def test_too_few_items_to_calibrate_with_are_a_sentence(count: int) -> None:
    source = SimpleNamespace(request=SimpleNamespace(source="photos"))
    card = SimpleNamespace(splits={"train": (object(),) * count}, source=source)
    subject: Any = SimpleNamespace(
        card=card, evaluation=None, task=SimpleNamespace(tags=SimpleNamespace(generative=False))
    )
    pipeline: Any = None
    assert calibration_inputs(subject, pipeline) == Failed(f"photos has {count} items to calibrate with, 16 are needed")
