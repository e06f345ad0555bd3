"""Files that are right for all usual values, and wrong for those that are met but rarely."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import zoo
from zoo.bundle.judge.parity_rule import Status
from zoo_export.verify.verify import Verified

Edit = Callable[[onnx.ModelProto], None]


def clipped(highest: float, operator: str) -> Edit:
    """What an operator gives first, no higher than this."""

    def edit(model: onnx.ModelProto) -> None:
        index = next(at for at, node in enumerate(model.graph.node) if node.op_type == operator)
        node = model.graph.node[index]
        name = node.output[0]
        node.output[0] = "edit/before"
        model.graph.initializer.append(helper.make_tensor("edit/highest", TensorProto.FLOAT, [], [highest]))
        model.graph.node.insert(index + 1, helper.make_node("Clip", ["edit/before", "", "edit/highest"], [name]))

    return edit


def rare_token(model: onnx.ModelProto) -> None:
    """One row of the embedding a hundredth off: of the last token, which few texts hold."""
    gathered = {node.input[0] for node in model.graph.node if node.op_type == "Gather"}
    table = next(tensor for tensor in model.graph.initializer if tensor.name in gathered and len(tensor.dims) == 2)
    values = numpy_helper.to_array(table).copy()
    values[-1] *= np.float32(1.01)
    table.CopyFrom(numpy_helper.from_array(values, table.name))


FILES: dict[str, tuple[str, Edit]] = {
    "activations of at most 6": ("cnn@digits", clipped(6.0, "Relu")),
    "activations of at most 12": ("cnn@digits", clipped(12.0, "Relu")),
    "activations of at most 10,000": ("cnn@digits", clipped(10_000.0, "Relu")),
    "a rare token": ("gru@names", rare_token),
}


@pytest.mark.ci
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_wrong_for_rare_values_fails(name: str, tmp_path: Path) -> None:
    weights, edit = FILES[name]
    bundle = zoo.export(weights, output=tmp_path / "bundle", evaluate=0).path
    model = onnx.load(bundle / "model.onnx")
    edit(model)
    onnx.checker.check_model(model)
    onnx.save(model, tmp_path / "edited.onnx")
    verified = zoo.verify(tmp_path / "edited.onnx", against=weights)
    assert isinstance(verified, Verified)
    failing = {gate.name for gate in verified.report.gates if gate.status == Status.FAIL}
    assert "parity" in failing
    assert not verified.holds
