from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.bundle.conftest import MakeBundle
from tests.bundle.runtime import graphs
from tests.conftest import Said
from zoo.api.errors import BadFile
from zoo.bundle.runtime.diff import Change, differences

ZooCommand = Callable[..., Said]


def changed(tmp_path: Path, edit: Callable[[onnx.ModelProto], object]) -> list[tuple[str, str]]:
    """Part and name of what differs after an edit."""
    other = graphs.linear()
    edit(other)
    first = graphs.saved(graphs.linear(), tmp_path / "first.onnx")
    second = graphs.saved(other, tmp_path / "second.onnx")
    return [(change.part, change.name) for change in differences(first, second)]


def one_weight(model: onnx.ModelProto) -> None:
    weight = numpy_helper.to_array(model.graph.initializer[0]).copy()
    weight[3, 1] += 0.25
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(weight, "fc.weight"))


def test_a_file_does_not_differ_from_its_copy(tmp_path: Path) -> None:
    assert changed(tmp_path, onnx.ModelProto.SerializeToString) == []


def test_one_weight_shows_in_weights_and_answers(tmp_path: Path) -> None:
    assert changed(tmp_path, one_weight) == [("weights", "fc.weight"), ("answers", "input 0, y")]
    (weight, _) = differences(tmp_path / "first.onnx", tmp_path / "second.onnx")
    assert weight == Change(
        part="weights",
        name="fc.weight",
        first="float32 [4, 2]",
        second="1 of 8 elements differ, by up to 0.25, rms 2.11e-02 of its own",
    )


def test_metadata_operators_interface_and_names_show(tmp_path: Path) -> None:
    assert changed(tmp_path, lambda m: m.metadata_props.add(key="zoo.model", value="x")) == [("metadata", "zoo.model")]

    def relu(model: onnx.ModelProto) -> None:
        model.graph.node[0].output[0] = "before"
        model.graph.node.append(helper.make_node("Abs", ["before"], ["y"]))

    assert changed(tmp_path, relu) == [("operators", "Abs")]

    def rename(model: onnx.ModelProto) -> None:
        model.graph.input[0].name = model.graph.node[0].input[0] = "image"

    assert changed(tmp_path, rename) == [("interface", "input image"), ("interface", "input x"), ("answers", "all")]


def test_whole_numbers_in_and_out_are_compared(tmp_path: Path) -> None:
    def takes_tokens(scale: float) -> onnx.ModelProto:
        nodes = [helper.make_node("Cast", ["x"], ["f"], to=1), helper.make_node("Mul", ["f", "s"], ["y"])]
        constant = helper.make_tensor("s", 1, [], [scale])
        model = graphs.model(nodes, out=["batch", 4], constants=[constant])
        model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT64
        return model

    paths = [graphs.saved(takes_tokens(scale), tmp_path / f"{scale}.onnx") for scale in (1.0, 2.0)]
    assert [change.part for change in differences(*paths)] == ["weights", "answers"]


def test_a_hostile_file_is_not_run(tmp_path: Path) -> None:
    good = graphs.saved(graphs.linear(), tmp_path / "good.onnx")
    with pytest.raises(BadFile, match="is refused"):
        differences(good, graphs.saved(graphs.endless(), tmp_path / "bad.onnx"))


def test_two_bundles_differ_in_record_files_and_golden_answers(
    make_bundle: MakeBundle, tmp_path: Path, zoo_command: ZooCommand
) -> None:
    make_bundle().rename(tmp_path / "first")
    second = make_bundle(verdict="unproved", gain=2.0)
    said = zoo_command("diff", str(tmp_path / "first"), str(second), "--json")
    assert said.code == 1
    found = {(change["part"], change["name"]) for change in said.json["changes"]}
    assert {
        ("record", "verdict"),
        ("files", "pipeline.onnx"),
        ("files", "golden/case-0.npz"),
        ("weights", "pipeline.onnx: scale"),
        ("answers", "pipeline.onnx: input 1, probabilities"),
        ("golden", "case-1: probabilities"),
    } <= found
    assert ("files", "model.onnx") not in found


def test_the_command_says_what_differs_and_exits_as_diff_does(
    make_bundle: MakeBundle, tmp_path: Path, zoo_command: ZooCommand
) -> None:
    bundle = make_bundle()
    same = zoo_command("diff", str(bundle), str(bundle))
    assert (same.code, same.out.splitlines()[0]) == (0, "no difference")
    other = graphs.linear()
    one_weight(other)
    said = zoo_command("diff", str(bundle), str(graphs.saved(other, tmp_path / "other.onnx")))
    assert said.code == 1
    assert "weights: 1 differs" in said.out
    assert np.all([zoo_command("diff", *pair).code == 2 for pair in ((str(bundle), "absent"), ("absent", str(bundle)))])


def absurd(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 10**12


def with_text(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer.add(name="words", data_type=onnx.TensorProto.STRING, dims=[1])
    tensor.string_data.append(b"\xff")


def hungry(model: onnx.ModelProto) -> None:
    """A size that depends on an input, which reading the file does not show: 256 GB."""
    side = helper.make_tensor("side", onnx.TensorProto.INT64, [1], [2**18])
    model.graph.initializer.append(side)
    model.graph.node[0].output[0] = "small"
    model.graph.node.extend(
        [
            helper.make_node("Mul", ["side", "side"], ["square"]),
            helper.make_node("Shape", ["x"], ["shape"]),
            helper.make_node("ReduceMin", ["shape"], ["times"]),
            helper.make_node("Mul", ["square", "times"], ["sides"]),
            helper.make_node("ConstantOfShape", ["sides"], ["large"]),
            helper.make_node("ReduceSum", ["large"], ["sum"], keepdims=0),
            helper.make_node("Add", ["small", "sum"], ["y"]),
        ]
    )


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (absurd, [("interface", "input x"), ("answers", "all")]),
        (with_text, [("weights", "words")]),
        (hungry, [("weights", "side"), ("answers", "input 0")]),
    ],
)
def test_files_that_cannot_be_run_or_read_plainly_are_still_compared(
    tmp_path: Path, edit: Callable[[onnx.ModelProto], object], found: list[tuple[str, str]]
) -> None:
    other = graphs.linear()
    edit(other)
    first = graphs.saved(other, tmp_path / "first.onnx")
    second = graphs.saved(graphs.linear(), tmp_path / "second.onnx")
    seen = [(change.part, change.name) for change in differences(first, second)]
    assert [one for one in seen if one[0] != "operators"] == found
