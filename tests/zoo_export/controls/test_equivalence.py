"""A mutant of an input that nobody reads changes nothing, and says nothing about the check."""

from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper

from zoo.data.text.controls import ignore_lengths
from zoo_export.capture.onnx_graph import copy_of
from zoo_export.controls.equivalence import _touched


def graph(*nodes: onnx.NodeProto) -> onnx.ModelProto:
    inputs = [
        helper.make_tensor_value_info("tokens", TensorProto.INT64, ["n", "length"]),
        helper.make_tensor_value_info("lengths", TensorProto.INT64, ["n"]),
    ]
    output = helper.make_tensor_value_info("y", TensorProto.INT64, None)
    return helper.make_model(helper.make_graph(list(nodes), "g", inputs, [output]))


UNREAD = graph(helper.make_node("Identity", ["tokens"], ["y"]))
WIDE = helper.make_node("Unsqueeze", ["lengths", "axis"], ["wide"])
READ = graph(WIDE, helper.make_node("Add", ["tokens", "wide"], ["y"]))


@pytest.mark.parametrize("original", [UNREAD, READ])
def test_the_mutant_that_ignores_lengths_touches_the_lengths_alone(original: onnx.ModelProto) -> None:
    assert _touched(original, ignore_lengths(copy_of(original), 0)) == {"lengths"}


def test_another_operator_touches_what_it_reads() -> None:
    assert _touched(READ, graph(WIDE, helper.make_node("Sub", ["tokens", "wide"], ["y"]))) == {"tokens"}
