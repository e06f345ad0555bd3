"""Files that are right for the few sizes that come to mind, and wrong somewhere else in their declared range."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import zoo
from zoo.bundle.judge.parity_rule import Status
from zoo_export.verify.verify import Verified

Edit = Callable[[onnx.ModelProto], None]
WRONG = 1e-3
"""What is added to an output where it is wrong."""


def constant(model: onnx.ModelProto, name: str, value: Any, dtype: Any = np.int64) -> str:
    model.graph.initializer.append(numpy_helper.from_array(np.array(value, dtype), name))
    return name


def feeds(model: onnx.ModelProto, source: str, target: str) -> None:
    """Every node that read `source` reads `target`."""
    for node in model.graph.node:
        node.input[:] = [target if name == source else name for name in node.input]


def before(model: onnx.ModelProto, *nodes: onnx.NodeProto) -> None:
    for node in reversed(nodes):
        model.graph.node.insert(0, node)


def wrong_where(source: str, axis: int, operator: str, number: int) -> Edit:
    """The first output is off where the size of an axis is what `operator` asks."""

    def edit(model: onnx.ModelProto) -> None:
        output = model.graph.output[0].name
        for node in model.graph.node:
            node.output[:] = ["edit/before" if name == output else name for name in node.output]
        constant(model, "edit/axis", axis)
        constant(model, "edit/number", number)
        constant(model, "edit/zero", 0)
        constant(model, "edit/wrong", WRONG, np.float32)
        size = [
            helper.make_node("Shape", [source], ["edit/shape"]),
            helper.make_node("Gather", ["edit/shape", "edit/axis"], ["edit/size"]),
        ]
        if operator == "Mod":
            size += [
                helper.make_node("Mod", ["edit/size", "edit/number"], ["edit/rest"]),
                helper.make_node("Equal", ["edit/rest", "edit/zero"], ["edit/holds"]),
            ]
        else:
            size.append(helper.make_node(operator, ["edit/size", "edit/number"], ["edit/holds"]))
        model.graph.node.extend(
            [
                *size,
                helper.make_node("Cast", ["edit/holds"], ["edit/cast"], to=TensorProto.FLOAT),
                helper.make_node("Mul", ["edit/cast", "edit/wrong"], ["edit/added"]),
                helper.make_node("Add", ["edit/before", "edit/added"], [output]),
            ]
        )

    return edit


def lengths_through_uint8(model: onnx.ModelProto) -> None:
    feeds(model, "lengths", "edit/wide")
    narrow = helper.make_node("Cast", ["lengths"], ["edit/narrow"], to=TensorProto.UINT8)
    before(model, narrow, helper.make_node("Cast", ["edit/narrow"], ["edit/wide"], to=TensorProto.INT64))


def lengths_capped(model: onnx.ModelProto) -> None:
    feeds(model, "lengths", "edit/capped")
    before(model, helper.make_node("Min", ["lengths", constant(model, "edit/cap", [64])], ["edit/capped"]))


def window_of_40(model: onnx.ModelProto) -> None:
    feeds(model, "tokens", "edit/window")
    feeds(model, "lengths", "edit/capped")
    ends = [constant(model, "edit/start", [0]), constant(model, "edit/end", [40]), constant(model, "edit/axes", [1])]
    before(
        model,
        helper.make_node("Slice", ["tokens", *ends], ["edit/window"]),
        helper.make_node("Min", ["lengths", "edit/end"], ["edit/capped"]),
    )


def wrong_for_one_colour(model: onnx.ModelProto) -> None:
    """The first output is off where all numbers of the picture are the same."""
    output = model.graph.output[0].name
    for node in model.graph.node:
        node.output[:] = ["edit/before" if name == output else name for name in node.output]
    constant(model, "edit/wrong", WRONG, np.float32)
    model.graph.node.extend(
        [
            helper.make_node("Cast", ["image"], ["edit/pixels"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMax", ["edit/pixels"], ["edit/highest"], keepdims=0),
            helper.make_node("ReduceMin", ["edit/pixels"], ["edit/lowest"], keepdims=0),
            helper.make_node("Equal", ["edit/highest", "edit/lowest"], ["edit/holds"]),
            helper.make_node("Cast", ["edit/holds"], ["edit/cast"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["edit/cast", "edit/wrong"], ["edit/added"]),
            helper.make_node("Add", ["edit/before", "edit/added"], [output]),
        ]
    )


def wrong_for_long_batches(model: onnx.ModelProto) -> None:
    """The first output is off where more than eight texts have more than a hundred tokens each."""
    wrong_where("tokens", 1, "Greater", 100)(model)
    cast = next(node for node in model.graph.node if node.output[0] == "edit/cast")
    cast.input[0] = "edit/both"
    constant(model, "edit/first", 0)
    constant(model, "edit/eight", 8)
    index = list(model.graph.node).index(cast)
    for node in (
        helper.make_node("And", ["edit/holds", "edit/many"], ["edit/both"]),
        helper.make_node("Greater", ["edit/items", "edit/eight"], ["edit/many"]),
        helper.make_node("Gather", ["edit/shape", "edit/first"], ["edit/items"]),
    ):
        model.graph.node.insert(index, node)


TEXTS: dict[str, Edit] = {
    "more than 8 texts of more than 100 tokens": wrong_for_long_batches,
    "lengths through uint8": lengths_through_uint8,
    "lengths capped at 64": lengths_capped,
    "windows of 40 tokens": window_of_40,
    "even lengths": wrong_where("tokens", 1, "Mod", 2),
    "above 2,048 tokens": wrong_where("tokens", 1, "Greater", 2_048),
    "batch 4": wrong_where("tokens", 0, "Equal", 4),
    "batch 6": wrong_where("tokens", 0, "Equal", 6),
    "above batch 7": wrong_where("tokens", 0, "Greater", 7),
    "above batch 64": wrong_where("tokens", 0, "Greater", 64),
}
PICTURES: dict[str, Edit] = {
    "above 128 pixels wide": wrong_where("image", 1, "Greater", 128),
    "above 1,000 pixels high": wrong_where("image", 0, "Greater", 1_000),
    "above 2,000 pixels wide": wrong_where("image", 1, "Greater", 2_000),
    "height 1": wrong_where("image", 0, "Equal", 1),
    "height 2": wrong_where("image", 0, "Equal", 2),
    "one colour": wrong_for_one_colour,
}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The bundle of shipped weights, exported once."""
    folder, written = tmp_path_factory.mktemp("bundles"), {}

    def bundle(weights: str) -> Path:
        if weights not in written:
            written[weights] = zoo.export(weights, output=folder / weights, evaluate=0).path
        return written[weights]

    return bundle


def failing(path: Path, weights: str) -> set[str]:
    """The gates that fail on a single file."""
    verified = zoo.verify(path, against=weights)
    assert isinstance(verified, Verified)
    assert verified.holds == verified.report.verdict.value.startswith(("PASS", "WARN"))
    return {gate.name for gate in verified.report.gates if gate.status == Status.FAIL}


def edited(source: Path, edit: Edit, target: Path) -> Path:
    model = onnx.load(source)
    edit(model)
    onnx.checker.check_model(model)
    onnx.save(model, target)
    return target


@pytest.mark.ci
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_model_that_is_wrong_at_some_sizes_fails(
    name: str, bundles: Callable[[str], Path], tmp_path: Path
) -> None:
    file = edited(bundles("gru@names") / "model.onnx", TEXTS[name], tmp_path / "edited.onnx")
    assert failing(file, "gru@names") & {"parity", "axes"}


@pytest.mark.ci
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_pipeline_that_is_wrong_at_some_sizes_fails(
    name: str, bundles: Callable[[str], Path], tmp_path: Path
) -> None:
    file = edited(bundles("cnn@digits") / "pipeline.onnx", PICTURES[name], tmp_path / "edited.onnx")
    assert "pipeline" in failing(file, "cnn@digits")


@pytest.mark.ci
@pytest.mark.parametrize(("weights", "file"), [("gru@names", "model.onnx"), ("cnn@digits", "pipeline.onnx")])
def test_the_files_themselves_are_proved(weights: str, file: str, bundles: Callable[[str], Path]) -> None:
    assert failing(bundles(weights) / file, weights) == set()


def clipped_far_away(model: onnx.ModelProto) -> None:
    """Activations above a million are cut off, which no picture reaches."""
    conv = next(node for node in model.graph.node if node.op_type == "Conv")
    output, conv.output[0] = conv.output[0], "edit/before"
    constant(model, "edit/highest", 1e6, np.float32)
    clip = helper.make_node("Clip", ["edit/before", "", "edit/highest"], [output])
    model.graph.node.insert(list(model.graph.node).index(conv) + 1, clip)


@pytest.mark.ci
def test_an_operator_that_no_case_meets_is_told(bundles: Callable[[str], Path], tmp_path: Path) -> None:
    """A file that says it is an export of zoo has the operators of one."""
    own = bundles("cnn@digits") / "pipeline.onnx"
    verified = zoo.verify(own, against="cnn@digits")
    assert isinstance(verified, Verified)
    assert "operators" not in {gate.name for gate in verified.report.gates}
    verified = zoo.verify(edited(own, clipped_far_away, tmp_path / "edited.onnx"), against="cnn@digits")
    assert isinstance(verified, Verified)
    gate = next(gate for gate in verified.report.gates if gate.name == "operators")
    assert (gate.status, verified.report.verdict) == (Status.WARN, Status.WARN)
    assert "Clip, is not the" in gate.detail


def exchanged(model: onnx.ModelProto) -> None:
    """Two class names, so that their own hash beside them is another."""
    entry = next(entry for entry in model.metadata_props if entry.key == "zoo.classes")
    entry.value = entry.value.replace('"3"', '"x"').replace('"7"', '"3"').replace('"x"', '"7"')


def renamed_with_hash(model: onnx.ModelProto) -> None:
    """The same with the hash of the exchanged names."""
    import json

    from zoo.bundle.runtime.consistency import classes_sha256

    exchanged(model)
    values = {entry.key: entry for entry in model.metadata_props}
    values["zoo.classes_sha256"].value = classes_sha256(json.loads(values["zoo.classes"].value))


@pytest.mark.ci
@pytest.mark.parametrize("edit", [exchanged, renamed_with_hash])
def test_exchanged_class_names_in_a_single_file_fail(
    edit: Edit, bundles: Callable[[str], Path], tmp_path: Path
) -> None:
    file = edited(bundles("cnn@digits") / "model.onnx", edit, tmp_path / "edited.onnx")
    assert failing(file, "cnn@digits") == {"labels"}
