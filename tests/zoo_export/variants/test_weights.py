"""Every weight of a variant within half a step of the proved one, whatever form it has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from zoo_export.variants.convert import Way, convert, ways
from zoo_export.variants.mutants import mutations
from zoo_export.variants.weights import weight_fidelity

RNG = np.random.default_rng(0)
INPUTS = [{"x": RNG.normal(size=(1, length, 32)).astype(np.float32)} for length in (3, 5, 8, 5)]
"""Of different lengths."""


def model() -> onnx.ModelProto:
    """x float32 [batch, length, 32] -> y [batch, length, 8]: two matrix products with a Relu between them."""
    weights = {
        "first": RNG.normal(size=(32, 64)).astype(np.float32),
        "bias": RNG.normal(size=64).astype(np.float32),
        "second": RNG.normal(size=(64, 8)).astype(np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "first"], ["hidden"], name="first_product"),
        helper.make_node("Add", ["hidden", "bias"], ["shifted"], name="shift"),
        helper.make_node("Relu", ["shifted"], ["positive"], name="relu"),
        helper.make_node("MatMul", ["positive", "second"], ["y"], name="second_product"),
    ]
    graph = helper.make_graph(
        nodes,
        "products",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", "length", 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", "length", 8])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


ALL = [
    Way(kind="half"),
    Way(kind="blocks"),
    Way(kind="dynamic"),
    Way(kind="dynamic", arithmetic="U8S7"),
    Way(kind="static"),
    Way(kind="static", calibrator="percentile"),
    Way(kind="static", calibrator="entropy", products_only=True),
    Way(kind="static", arithmetic="U8U8"),
    Way(kind="static", in_float=("first_product",)),
]


@pytest.mark.parametrize("way", ALL, ids=lambda way: way.name)
def test_each_way_keeps_every_weight_and_reads_items_of_any_length(way: Way, tmp_path: Path) -> None:
    proved = model()
    converted = convert(proved, way, inputs=INPUTS, ranges=tmp_path)
    assert isinstance(converted, onnx.ModelProto), converted
    found = weight_fidelity(proved, converted)
    assert (found.different, found.extra) == ((), ())
    assert found.equal + found.quantised == found.total == 3
    assert found.quantised >= 1


@pytest.mark.parametrize("way", [ALL[0], ALL[1], ALL[2], ALL[4]], ids=lambda way: way.name)
def test_a_changed_weight_is_named(way: Way, tmp_path: Path) -> None:
    proved = model()
    converted = convert(proved, way, inputs=INPUTS, ranges=tmp_path)
    assert isinstance(converted, onnx.ModelProto)
    for mutation in mutations(converted):
        if not mutation.name.startswith(("two channels", "a channel", "a sign", "a weight's")):
            continue
        mutant = onnx.ModelProto.FromString(converted.SerializeToString())
        mutation.edit(mutant)
        assert weight_fidelity(proved, mutant).different, (mutation.name, mutation.place)


def test_a_bias_that_is_turned_back_to_float_and_added_nowhere_is_named(tmp_path: Path) -> None:
    """The library stores the bias of a Gemm in bytes; the node that turns it back stays, whoever reads it."""
    weights = {"matrix": RNG.normal(size=(32, 8)).astype(np.float32), "bias": RNG.normal(size=8).astype(np.float32)}
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "matrix", "bias"], ["y"], name="product")],
        "gemm",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 8])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    proved = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    inputs = [{"x": RNG.normal(size=(1, 32)).astype(np.float32)} for _ in range(4)]
    converted = convert(proved, Way(kind="static"), inputs=inputs, ranges=tmp_path)
    assert isinstance(converted, onnx.ModelProto)
    assert weight_fidelity(proved, converted).different == ()
    (left_out,) = (mutation for mutation in mutations(converted) if mutation.name == "a bias left out")
    left_out.edit(converted)
    assert weight_fidelity(proved, converted).different == ("bias",)


def test_numbers_beyond_half_precision_are_cut_and_keep_their_sign(tmp_path: Path) -> None:
    """As the mask of an attention has them, the smallest number in single precision."""
    proved = model()
    proved.graph.initializer[1].CopyFrom(numpy_helper.from_array(np.full(64, -3.4e38, np.float32), "bias"))
    converted = convert(proved, Way(kind="half"), inputs=(), ranges=tmp_path)
    assert isinstance(converted, onnx.ModelProto)
    assert weight_fidelity(proved, converted).different == ()
    bias = next(tensor for tensor in converted.graph.initializer if tensor.name == "bias")
    bias.CopyFrom(numpy_helper.from_array(np.full(64, 6e4, np.float16), "bias"))
    assert weight_fidelity(proved, converted).different == ("bias",)


def test_a_machine_whose_bytes_saturate_gets_seven_bits_or_unsigned_weights() -> None:
    exact = {way.arithmetic for way in ways("int8", model(), saturates=False)}
    careful = {way.arithmetic for way in ways("int8", model(), saturates=True)}
    assert (exact, careful) == ({"U8S8"}, {"U8S7", "U8U8"})


def test_a_model_without_products_holds_nothing_to_convert() -> None:
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "relu", [], [])
    empty = helper.make_model(graph)
    assert ways("int8", empty, saturates=False) == ways("int4", empty, saturates=False) == ()


def test_a_value_that_two_nodes_read_in_float_is_cast_once(tmp_path: Path) -> None:
    """Min and Max stay in float, and so read what the Add before them gave in half precision."""
    nodes = [
        helper.make_node("Add", ["x", "shift"], ["shifted"], name="add"),
        helper.make_node("Min", ["shifted", "limit"], ["low"], name="min"),
        helper.make_node("Max", ["shifted", "limit"], ["high"], name="max"),
        helper.make_node("Sub", ["high", "low"], ["y"], name="sub"),
    ]
    graph = helper.make_graph(
        nodes,
        "twice",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 4])],
        [numpy_helper.from_array(np.ones(4, np.float32), name) for name in ("shift", "limit")],
    )
    proved = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    converted = convert(proved, Way(kind="half"), inputs=(), ranges=tmp_path)
    assert isinstance(converted, onnx.ModelProto)
    outputs = [name for node in converted.graph.node for name in node.output]
    names = [node.name for node in converted.graph.node]
    assert len(outputs) == len(set(outputs)) and len(names) == len(set(names))
    onnx.checker.check_model(converted, full_check=True)
