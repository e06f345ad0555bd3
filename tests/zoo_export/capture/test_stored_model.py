"""A graph that is kept as bytes, in memory or in a file, is the graph that was given."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from zoo_export.capture.message_parts import serialized, without_numbers
from zoo_export.capture.stored_model import LARGE, StoredModel


def graph(numbers: int) -> onnx.ModelProto:
    weights = numpy_helper.from_array(np.arange(numbers, dtype=np.float32), "weights")
    output = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [numbers])
    node = onnx.helper.make_node("Identity", ["weights"], ["y"])
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "graph", [], [output], [weights]))
    onnx.helper.set_model_props(model, {"zoo.model": "it"})
    return model


@pytest.mark.parametrize("numbers", [3, LARGE // 4 + 1])
def test_it_gives_what_it_was_given(numbers: int) -> None:
    model = graph(numbers)
    stored = StoredModel.of(model)
    data = model.SerializeToString(deterministic=True)
    assert (stored.data, stored.bytes, stored.sha256) == (data, len(data), hashlib.sha256(data).hexdigest())
    assert stored.model == model
    assert stored.data == data  # a second time
    assert stored == StoredModel(data) != StoredModel.of(graph(4))


def test_what_is_large_lies_in_a_file_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    stored = StoredModel.of(graph(LARGE // 4 + 1))
    assert stored.model is not stored.model
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("changed", ["nothing", "no weights", "two weights", "no graph", "functions"])
def test_its_pieces_are_the_bytes_of_the_whole(changed: str) -> None:
    model = graph(70_000)
    if changed == "no weights":
        del model.graph.initializer[:]
    if changed == "two weights":
        model.graph.initializer.append(numpy_helper.from_array(np.zeros((), np.int64), "none"))
        model.graph.sparse_initializer.add().dims.append(3)
        model.graph.doc_string = "about"
    if changed == "no graph":
        model.ClearField("graph")
        model.graph.SetInParent()
    if changed == "functions":
        model.functions.add(name="f", domain="d")
    assert b"".join(serialized(model)) == model.SerializeToString(deterministic=True)


def test_a_copy_without_numbers_has_everything_else() -> None:
    model = graph(1000)
    copied = without_numbers(model)
    assert copied.ByteSize() < 300
    copied.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data
    assert copied == model
