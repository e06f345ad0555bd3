"""What a hostile file hides in functions, in loops within loops and behind arithmetic is found without running it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.bundle.runtime import graphs
from zoo.bundle.onnx_file.safety.scan import scan

OPSET = [helper.make_opsetid("", 18)]
OUT = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)


def refused(model: onnx.ModelProto, tmp_path: Path) -> tuple[str, ...]:
    return scan(graphs.saved(model, tmp_path / "model.onnx")).refused


def function(name: str, *calls: str, domain: str = "") -> onnx.FunctionProto:
    """a -> b through these operators or functions, one after the other."""
    names = ["a", *(f"v{index}" for index in range(1, len(calls))), "b"]
    links = zip(calls, names[:-1], names[1:], strict=True)
    body = [helper.make_node(call, [a], [b], domain="" if call == "Relu" else domain) for call, a, b in links]
    imports = OPSET if not domain else [*OPSET, helper.make_opsetid(domain, 1)]
    return helper.make_function(domain, name, ["a"], ["b"], body, imports)


def calling(name: str, functions: Sequence[onnx.FunctionProto], *, domain: str = "") -> onnx.ModelProto:
    model = graphs.model(
        [helper.make_node(name, ["x"], ["y"], domain=domain)], domains=["", domain] if domain else [""]
    )
    model.functions.extend(functions)
    return model


# --- operators ---


@pytest.mark.parametrize(("name", "opset"), [("Steal", 18), ("Gelu", 18), ("relu", 18)])
def test_an_operator_that_onnx_does_not_have_is_refused(tmp_path: Path, name: str, opset: int) -> None:
    model = graphs.model([helper.make_node(name, ["x"], ["y"])])
    assert refused(model, tmp_path) == (f"the operator '{name}' is none of ONNX's opset {opset}",)


def test_an_opset_from_the_future_is_refused(tmp_path: Path) -> None:
    model = graphs.model([helper.make_node("Relu", ["x"], ["y"])])
    model.opset_import[0].version = 999
    (reason,) = refused(model, tmp_path)
    assert reason.startswith("it names the opset 999; ")


def test_an_unknown_operator_is_found_in_a_function_and_by_the_opset_of_the_function(tmp_path: Path) -> None:
    model = calling("F", [function("F", "Gelu")])
    assert refused(model, tmp_path) == ("the operator 'Gelu' is none of ONNX's opset 18",)
    model.functions[0].opset_import[0].version = 20
    assert refused(model, tmp_path) == ()


# --- functions ---


@pytest.mark.parametrize("domain", ["", "of.the.file"])
def test_functions_of_the_file_are_no_foreign_code(tmp_path: Path, domain: str) -> None:
    model = calling("F", [function("F", "G", "G", domain=domain), function("G", "Relu", domain=domain)], domain=domain)
    assert refused(model, tmp_path) == ()


@pytest.mark.parametrize("domain", ["", "of.the.file"])
def test_a_function_that_calls_itself_is_refused(tmp_path: Path, domain: str) -> None:
    model = calling("F", [function("F", "F", domain=domain)], domain=domain)
    assert refused(model, tmp_path) == ("its functions never end: 'F' calls 'F'",)
    circle = [function("F", "Relu", "G", domain=domain), function("G", "F", domain=domain)]
    assert refused(calling("F", circle, domain=domain), tmp_path) == (
        "its functions never end: 'F' calls 'G' calls 'F'",
    )


def test_a_recursion_through_a_branch_and_of_an_uncalled_function_is_found(tmp_path: Path) -> None:
    inner = helper.make_graph([helper.make_node("F", ["a"], ["y"])], "branch", [], [OUT])
    body = [helper.make_node("If", ["a"], ["b"], then_branch=inner, else_branch=inner)]
    model = graphs.model([helper.make_node("Relu", ["x"], ["y"])])
    model.functions.append(helper.make_function("", "F", ["a"], ["b"], body, OPSET))
    assert refused(model, tmp_path) == ("its functions never end: 'F' calls 'F'",)


def test_a_function_bomb_is_counted_and_not_unfolded(tmp_path: Path) -> None:
    bomb = [function(f"F{level}", *([f"F{level + 1}"] * 10)) for level in range(9)] + [function("F9", "Relu")]
    start = time.process_time()
    (reason,) = refused(calling("F0", bomb), tmp_path)
    assert reason.startswith("its functions make 2,111,111,111 nodes with ")
    assert time.process_time() - start < 10


def test_functions_may_be_nested_but_not_for_ever(tmp_path: Path) -> None:
    def chain(length: int) -> onnx.ModelProto:
        links = [function(f"F{level}", f"F{level + 1}") for level in range(length)]
        return calling("F0", [*links, function(f"F{length}", "Relu")])

    assert refused(chain(20), tmp_path) == ()
    assert refused(chain(3000), tmp_path) == (
        "its functions and subgraphs lie 3,001 deep in each other; 64 is the limit",
    )


def test_many_names_in_a_function_that_is_called_often_are_refused(tmp_path: Path) -> None:
    wide = helper.make_function("", "Wide", ["a"], ["b"], [helper.make_node("Sum", ["a"] * 10_000, ["b"])], OPSET)
    model = calling("F", [function("F", *(["Wide"] * 1000)), wide])
    (reason,) = refused(model, tmp_path)
    assert reason == "its functions make 2,001 nodes with 10,003,002 names of it; 200,000 and 4,000,000 are the limits"


def test_a_graph_handed_to_a_function_is_refused(tmp_path: Path) -> None:
    inner = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [], [OUT])
    model = graphs.model([helper.make_node("F", ["x"], ["y"], branch=inner)])
    model.functions.append(function("F", "Relu"))
    assert refused(model, tmp_path)[0].startswith("its functions take graphs as attributes")


# --- loops ---


def loop(name: str, trips: str, *body: onnx.NodeProto, carried: str = "x") -> onnx.NodeProto:
    """A loop whose body carries a float tensor through and does something beside."""
    inside = helper.make_graph(
        [
            helper.make_node("Identity", [f"go_{name}"], [f"on_{name}"]),
            *body,
            helper.make_node("Identity", [f"v_{name}"], [f"w_{name}"]),
        ],
        name,
        [
            helper.make_tensor_value_info(f"i_{name}", TensorProto.INT64, []),
            helper.make_tensor_value_info(f"go_{name}", TensorProto.BOOL, []),
            helper.make_tensor_value_info(f"v_{name}", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info(f"on_{name}", TensorProto.BOOL, []),
            helper.make_tensor_value_info(f"w_{name}", TensorProto.FLOAT, None),
        ],
    )
    return helper.make_node("Loop", [trips, "", carried], [f"out_{name}"], name=name, body=inside)


def test_loops_within_loops_are_multiplied(tmp_path: Path) -> None:
    trips = graphs.numbers("trips", 2**20)
    nested = graphs.model([loop("outer", "trips", loop("inner", "trips"))], constants=[trips])
    assert refused(nested, tmp_path) == (
        "the loop 'inner' may run more than a million times (1,099,511,627,776, the loops around it counted)",
    )
    beside = graphs.model([loop("first", "trips"), loop("second", "trips")], constants=[trips])
    assert refused(beside, tmp_path) == ()
    few = graphs.model([loop("outer", "few", loop("inner", "few"))], constants=[graphs.numbers("few", 2**10)])
    assert refused(few, tmp_path) == ()


def test_a_loop_in_a_function_is_multiplied_by_the_loop_around_its_call(tmp_path: Path) -> None:
    body = [loop("inner", "n", carried="a"), helper.make_node("Identity", ["out_inner"], ["b"])]
    repeat = helper.make_function("", "Repeat", ["a", "n"], ["b"], body, OPSET)
    call = helper.make_node("Repeat", ["x", "trips"], ["z"])
    model = graphs.model([loop("outer", "trips", call)], constants=[graphs.numbers("trips", 2**15)])
    model.functions.append(repeat)
    (reason,) = refused(model, tmp_path)
    assert reason.startswith("the loop 'inner' may run more than a million times (1,073,741,824, ")


def test_a_trip_count_that_is_computed_from_constants_is_known(tmp_path: Path) -> None:
    model = graphs.model(
        [helper.make_node("Mul", ["n", "n"], ["trips"]), loop("spin", "trips")], constants=[graphs.numbers("n", 2**20)]
    )
    assert refused(model, tmp_path) == ("the loop 'spin' may run more than a million times (1,099,511,627,776)",)


def carrying(op: str, *body: onnx.NodeProto, start: onnx.TensorProto, results: int = 1) -> onnx.NodeProto:
    """A Loop or Scan whose body makes `new` of the `state` it carries, and `row` where it has two results."""
    state = helper.make_tensor_value_info("state", start.data_type, None)
    new = [helper.make_tensor_value_info(name, start.data_type, None) for name in ("new", "row")[:results]]
    turn, go, more = (
        helper.make_tensor_value_info("turn", TensorProto.INT64, []),
        helper.make_tensor_value_info("go", TensorProto.BOOL, []),
        helper.make_tensor_value_info("more", TensorProto.BOOL, []),
    )
    outputs = ["grown", "rows"][:results]
    if op == "Loop":
        going = helper.make_node("Identity", ["go"], ["more"])
        inside = helper.make_graph([going, *body], "body", [turn, go, state], [more, *new])
        return helper.make_node("Loop", ["turns", "", start.name], outputs, name="growing", body=inside)
    part = helper.make_tensor_value_info("part", TensorProto.FLOAT, None)
    inside = helper.make_graph(list(body), "body", [state, part], new)
    return helper.make_node("Scan", [start.name, "parts"], outputs, name="growing", body=inside, num_scan_inputs=1)


def grown(
    op: str,
    turns: int,
    body: Sequence[onnx.NodeProto],
    start: onnx.TensorProto,
    *after: onnx.NodeProto,
    results: int = 1,
) -> onnx.ModelProto:
    """A model that turns so often; what a body needs besides stands as `times`."""
    parts = numpy_helper.from_array(np.zeros((turns, 1), np.float32), "parts")
    constants = [graphs.numbers("turns", turns), graphs.numbers("times", 64), start, *([parts] if op == "Scan" else [])]
    return graphs.model([carrying(op, *body, start=start, results=results), *after], constants=constants)


FOUR = numpy_helper.from_array(np.ones(4, np.float32), "small")
NUMBER = numpy_helper.from_array(np.array([2], np.int64), "number")
DOUBLED = [helper.make_node("Concat", ["state", "state"], ["new"], axis=0)]
LENGTHENED = [
    helper.make_node("Constant", [], ["piece"], value=numpy_helper.from_array(np.ones(64, np.float32))),
    helper.make_node("Concat", ["state", "piece"], ["new"], axis=0),
]
TILED = [
    LENGTHENED[0],
    helper.make_node("Tile", ["piece", "times"], ["long"]),
    helper.make_node("Concat", ["state", "long"], ["new"], axis=0),
]
COUNTED = [helper.make_node("Add", ["state", "state"], ["new"])]
GROWN: dict[str, Any] = {
    "doubled": ("Loop", 40, DOUBLED, FOUR, ()),
    "doubled in a scan": ("Scan", 40, DOUBLED, FOUR, ()),
    "lengthened": ("Loop", 2**20, TILED, FOUR, ()),
    "a size": ("Loop", 40, COUNTED, NUMBER, (helper.make_node("ConstantOfShape", ["grown"], ["z"]),)),
    "a size used inside": (
        "Loop",
        40,
        [*COUNTED, helper.make_node("ConstantOfShape", ["state"], ["huge"])],
        NUMBER,
        (),
    ),
}


@pytest.mark.parametrize("how", GROWN)
def test_what_grows_in_a_loop_is_followed(tmp_path: Path, how: str) -> None:
    op, turns, body, start, after = GROWN[how]
    model = grown(op, turns, body, start, *after)
    assert any("elements out of nothing" in reason for reason in refused(model, tmp_path)), refused(model, tmp_path)


def test_what_every_turn_gives_is_summed(tmp_path: Path) -> None:
    row = helper.make_node("Expand", ["state", "wide"], ["row"])
    kept = helper.make_node("Identity", ["state"], ["new"])
    model = grown("Loop", 2**18, [kept, row], numpy_helper.from_array(np.ones(1, np.float32), "one"), results=2)
    model.graph.initializer.append(graphs.numbers("wide", 2**13))
    assert refused(model, tmp_path) == ("the Loop node 'growing' makes 2,147,483,648 elements out of nothing",)


def test_a_loop_within_a_loop_is_followed(tmp_path: Path) -> None:
    inner = carrying("Loop", *DOUBLED, start=FOUR)
    inner.input[2] = "state"
    body = [inner, helper.make_node("Identity", ["grown"], ["new"])]
    assert "elements out of nothing" in refused(grown("Loop", 6, body, FOUR), tmp_path)[0]


@pytest.mark.parametrize(("turns", "body"), [(20, DOUBLED), (2**15, LENGTHENED)])
def test_what_grows_within_reason_is_no_reason(tmp_path: Path, turns: int, body: Sequence[onnx.NodeProto]) -> None:
    assert refused(grown("Loop", turns, body, FOUR), tmp_path) == ()


def test_what_turns_as_often_as_an_input_says_is_not_followed(tmp_path: Path) -> None:
    model = graphs.model([carrying("Loop", *DOUBLED, start=FOUR)], constants=[FOUR])
    model.graph.input.append(helper.make_tensor_value_info("turns", TensorProto.INT64, []))
    assert refused(model, tmp_path) == ()


# --- sizes ---

N = 2**20


def node(op: str, inputs: str, output: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, inputs.split(), [output], name=output, **attributes)


def several(op: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, inputs.split(), outputs.split(), name=op, **attributes)


def branches(condition: str, short: str, long: list[onnx.NodeProto], output: str) -> onnx.NodeProto:
    """An If, one of whose branches gives a large size."""
    value = helper.make_tensor_value_info(long[-1].output[0], TensorProto.INT64, [1])
    other = helper.make_node("Identity", [short], ["short"])
    then = helper.make_graph([other], "then", [], [helper.make_tensor_value_info("short", TensorProto.INT64, [1])])
    return node("If", condition, output, then_branch=then, else_branch=helper.make_graph(long, "else", [], [value]))


SIZES = {
    "Mul": [node("Mul", "n n", "size")],
    "Mul by a constant node": [node("Constant", "", "c", value_int=N), node("Mul", "n c", "size")],
    "Pow": [node("Pow", "n two", "size")],
    "Add": [node("Mul", "n n", "a"), node("Add", "a n", "size")],
    "Sub": [node("Mul", "n n", "a"), node("Sub", "a n", "size")],
    "Div": [node("Mul", "n n", "a"), node("Div", "a two", "size")],
    "BitShift": [
        node("Cast", "n", "a", to=TensorProto.UINT64),
        node("BitShift", "a a2", "b", direction="LEFT"),
        node("Cast", "b", "size", to=TensorProto.INT64),
    ],
    "ReduceProd": [node("Concat", "n n", "a", axis=0), node("ReduceProd", "a", "size")],
    "Concat": [node("Concat", "n n", "size", axis=0)],
    "Gather": [node("Concat", "two n n", "a", axis=0), node("Gather", "a one_two", "size")],
    "Slice": [node("Concat", "two n n", "a", axis=0), node("Slice", "a one three", "size")],
    "floats": [
        node("Cast", "n", "f", to=TensorProto.FLOAT),
        node("Mul", "f f", "g"),
        node("Cast", "g", "size", to=TensorProto.INT64),
    ],
    "Shape": [node("ConstantOfShape", "n", "a"), node("Shape", "a", "s"), node("Mul", "s s", "size")],
    "Size": [
        node("ConstantOfShape", "n", "a"),
        node("Size", "a", "t"),
        node("Unsqueeze", "t zero", "s"),
        node("Mul", "s s", "size"),
    ],
    "Where": [node("Greater", "n two", "c"), node("Mul", "n n", "a"), node("Where", "c a two", "size")],
    "Range and Max": [node("Mul", "n n", "a"), node("Max", "a two", "size")],
    "Clip": [node("Mul", "n n", "a"), node("Clip", "a", "size")],
    "CumSum": [node("Concat", "n n", "a", axis=0), node("CumSum", "a zero", "size")],
    "GatherElements": [node("Concat", "n n two", "a", axis=0), node("GatherElements", "a zero_one", "size")],
    "GatherND": [node("Concat", "n n two", "a", axis=0), node("GatherND", "a column", "size")],
    "ScatterElements": [node("Concat", "n n", "a", axis=0), node("ScatterElements", "one_two zero_one a", "size")],
    "Split": [
        node("Concat", "n n", "a", axis=0),
        several("Split", "a", "b c", num_outputs=2),
        node("Mul", "b c", "size"),
    ],
    "TopK": [node("Concat", "n n two", "a", axis=0), several("TopK", "a two", "size i")],
    "MatMul": [node("MatMul", "n n", "a"), node("Unsqueeze", "a zero", "size")],
    "ReduceL1": [node("Mul", "n n", "a"), node("ReduceL1", "a", "size")],
    "If": [node("Greater", "x f", "c"), branches("c", "n", [node("Mul", "n n", "long")], "size")],
}
CONSTANTS = [
    graphs.numbers("n", N),
    graphs.numbers("two", 2),
    graphs.numbers("zero", 0),
    graphs.numbers("one", 1),
    graphs.numbers("three", 3),
    graphs.numbers("one_two", 1, 2),
    graphs.numbers("zero_one", 0, 1),
    numpy_helper.from_array(np.array([[0], [1]]), "column"),
    numpy_helper.from_array(np.array(1, np.float32), "f"),
    numpy_helper.from_array(np.array([20], np.uint64), "a2"),
]


@pytest.mark.parametrize("how", SIZES)
def test_a_size_that_is_computed_from_constants_is_known(tmp_path: Path, how: str) -> None:
    model = graphs.model([*SIZES[how], node("ConstantOfShape", "size", "y")], constants=CONSTANTS)
    (reason,) = refused(model, tmp_path)
    assert reason.startswith("the ConstantOfShape node 'y' makes ")
    assert int(reason.split(" makes ")[1].split()[0].replace(",", "")) >= 2**38


LARGE = {
    "a sum of two": [
        node("Range", "s0 big s1", "a"),
        node("Unsqueeze", "a one", "column"),
        node("Add", "a column", "y"),
    ],
    "a product of matrices": [
        node("ConstantOfShape", "row", "a"),
        node("ConstantOfShape", "col", "b"),
        node("MatMul", "b a", "y"),
    ],
    "Range": [node("Mul", "big big", "a"), node("Range", "s0 a s1", "y")],
    "Tile": [node("Concat", "n n", "a", axis=0), node("Tile", "x a", "y")],
    "Expand": [node("Concat", "n n", "a", axis=0), node("Expand", "x a", "y")],
    "Resize": [node("Concat", "n n", "a", axis=0), helper.make_node("Resize", ["x", "", "", "a"], ["y"], name="y")],
    "Pad": [node("Mul", "n n", "a"), node("Concat", "a a a a", "b", axis=0), node("Pad", "x b", "y")],
    "Einsum": [node("ConstantOfShape", "n", "a"), node("Einsum", "a a", "y", equation="i,j->ij")],
    "Gemm": [node("ConstantOfShape", "row", "a"), node("ConstantOfShape", "col", "b"), node("Gemm", "b a", "y")],
    "Gather": [node("ConstantOfShape", "n", "a"), node("Cast", "a", "i", to=7), node("Gather", "wide i", "y")],
    "Conv": [node("ConstantOfShape", "unit", "a"), node("Conv", "a a", "y", pads=[N] * 4)],
    "ConvTranspose": [node("ConstantOfShape", "unit", "a"), node("ConvTranspose", "a a", "y", output_shape=[N, N])],
    "strides of ConvTranspose": [node("ConvTranspose", "pair pair", "y", strides=[N, N])],
    "MaxPool": [node("ConstantOfShape", "unit", "a"), node("MaxPool", "a", "y", kernel_shape=[1, 1], pads=[N] * 4)],
    "MaxUnpool": [node("Concat", "one one n n", "s", axis=0), node("MaxUnpool", "x x s", "y", kernel_shape=[1, 1])],
    "a window": [node("Mul", "big big", "a"), node("HannWindow", "a", "y")],
    "DFT": [node("Mul", "big big", "a"), node("DFT", "x a", "y", axis=1)],
    "RoiAlign": [node("RoiAlign", "x x one", "y", output_height=N, output_width=N)],
    "Multinomial": [node("Multinomial", "x", "y", sample_size=2**40)],
    "a sequence": [
        node("ConstantOfShape", "n", "a"),
        node("SequenceConstruct", "a " * 50, "b"),
        node("ConcatFromSequence", "b", "c", axis=0),
        node("SequenceConstruct", "c " * 50, "d"),
        node("ConcatFromSequence", "d", "y", axis=0),
    ],
    "a chain of layers": [
        node("ConstantOfShape", "row", "a"),
        node("Softmax", "a", "b"),
        node("ReduceMax", "b zero", "c", keepdims=1),
        node("Transpose", "c", "d"),
        node("PRelu", "c d", "y"),
    ],
    "doubling": [node("Concat", f"d{level} d{level}", f"d{level + 1}", axis=0) for level in range(35)],
}


@pytest.mark.parametrize("how", LARGE)
def test_a_tensor_that_grows_out_of_small_ones_is_refused(tmp_path: Path, how: str) -> None:
    scalars = [
        numpy_helper.from_array(np.array(value, np.int64), name) for name, value in (("s0", 0), ("s1", 1), ("big", N))
    ]
    shapes = [graphs.numbers("row", 1, N), graphs.numbers("col", N, 1), graphs.numbers("unit", 1, 1, 1, 1)]
    shapes += [numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in (("pair", (1, 1, 2, 2)),)]
    shapes += [numpy_helper.from_array(np.zeros((1, 2**11), np.float32), "wide")]
    start = node("Relu", "x", "d0")
    model = graphs.model([start, *LARGE[how]], constants=[*CONSTANTS, *scalars, *shapes])
    assert any(" elements out of nothing" in reason for reason in refused(model, tmp_path))


def test_a_size_that_a_function_computes_is_known(tmp_path: Path) -> None:
    square = helper.make_function("", "Square", ["a"], ["b"], [helper.make_node("Mul", ["a", "a"], ["b"])], OPSET)
    model = graphs.model([node("Square", "n", "size"), node("ConstantOfShape", "size", "y")], constants=CONSTANTS)
    model.functions.append(square)
    assert refused(model, tmp_path) == ("the ConstantOfShape node 'y' makes 1,099,511,627,776 elements out of nothing",)


def test_a_constant_that_a_call_hands_to_a_function_as_attribute_is_known(tmp_path: Path) -> None:
    inner = helper.make_node("Constant", [], ["c"])
    reference = inner.attribute.add(name="value_ints", ref_attr_name="shape", type=onnx.AttributeProto.INTS)
    assert reference.ref_attr_name
    body = [inner, helper.make_node("ConstantOfShape", ["c"], ["b"], name="made")]
    model = graphs.model([helper.make_node("Zeros", ["x"], ["y"], shape=[N, N])])
    model.functions.append(helper.make_function("", "Zeros", ["a"], ["b"], body, OPSET, attributes=["shape"]))
    assert refused(model, tmp_path) == (
        "the ConstantOfShape node 'made' makes 1,099,511,627,776 elements out of nothing",
    )


def test_a_sparse_tensor_of_a_huge_shape_is_refused(tmp_path: Path) -> None:
    model = graphs.linear()
    values = numpy_helper.from_array(np.ones(1, np.float32), "sparse")
    indices = numpy_helper.from_array(np.zeros(1, np.int64), "sparse_indices")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [2**40]))
    assert refused(model, tmp_path) == ("the tensor 'sparse' claims the shape [1099511627776]",)


def test_sizes_that_depend_on_inputs_are_no_reason(tmp_path: Path) -> None:
    nodes = [
        node("Shape", "x", "s"),
        node("ReduceProd", "s", "p"),
        node("Mul", "p n", "size"),
        node("ConstantOfShape", "size", "y"),
    ]
    assert refused(graphs.model(nodes, constants=CONSTANTS), tmp_path) == ()


# --- training ---


def test_graphs_for_training_are_refused(tmp_path: Path) -> None:
    model = graphs.linear()
    model.training_info.add().algorithm.node.append(helper.make_node("Steal", ["x"], ["y"], domain="evil"))
    reasons = refused(model, tmp_path)
    assert "evil" in reasons[0]
    assert "it carries graphs for training (training_info), which have no place in a file for inference" in reasons
