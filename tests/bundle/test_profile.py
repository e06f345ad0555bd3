"""Which nodes cost most: the runtime's own times, by module of the model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.bundle.conftest import MakeBundle
from tests.conftest import Said
from zoo.api.errors import UsageError
from zoo.bundle.profile import FIRST, INSERTED, GraphCost, NodeCost, _module, node_modules, profile_graph
from zoo.bundle.runtime.bundle import Bundle


def two_layers() -> onnx.ModelProto:
    """Two layers with a pipeline around them: image -> ends/scale -> neck.fc -> relu -> head -> ends/softmax."""
    weights = [
        numpy_helper.from_array(np.ones((4, 4), np.float32), name)
        for name in ("neck.fc.weight", "head.weight", "ends/prepare.mean")
    ]
    nodes = [
        helper.make_node("Sub", ["image", "ends/prepare.mean"], ["ends/scaled"], name="ends/scale"),
        helper.make_node("Neg", ["ends/scaled"], ["negative"], name="node_neg"),
        helper.make_node("MatMul", ["negative", "neck.fc.weight"], ["features"], name="node_matmul"),
        helper.make_node("Relu", ["features"], ["relu"], name="node_relu"),
        helper.make_node("MatMul", ["relu", "head.weight"], ["logits"], name="node_matmul_1"),
        helper.make_node("Softmax", ["logits"], ["probabilities"], name="ends/softmax"),
    ]
    value = helper.make_tensor_value_info
    inputs, outputs = ([value(name, TensorProto.FLOAT, [4, 4])] for name in ("image", "probabilities"))
    return helper.make_model(helper.make_graph(nodes, "two layers", inputs, outputs, initializer=weights))


def test_a_node_belongs_to_the_module_of_its_parameters_or_of_what_it_reads() -> None:
    modules = node_modules(two_layers())
    assert {name: modules[name] for name in modules if name.startswith(("node_", "ends/s"))} == {
        "ends/scaled": "preprocess",
        "ends/scale": "preprocess",
        "node_neg": FIRST,
        "node_matmul": "neck.fc",
        "node_relu": "neck.fc",
        "node_matmul_1": "head",
        "ends/softmax": "postprocess",
    }


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("node_matmul_1", "head"),
        ("fused node_matmul_1", "head"),
        ("relu_nchwc", "neck.fc"),
        ("node_matmul_1_token_3", "head"),
        ("Transpose_token_10", INSERTED),
    ],
)
def test_names_that_the_runtime_changes_are_known_again(name: str, module: str) -> None:
    assert _module(name, node_modules(two_layers())) == module


def test_modules_are_summed_to_the_depth_that_is_asked_for() -> None:
    nodes = tuple(
        NodeCost(name=module, op="Conv", module=module, seconds=seconds)
        for module, seconds in (("layer1.0.conv1", 0.5), ("layer1.0.conv2", 0.25), ("layer1.1.conv1", 1.0))
    )
    cost = GraphCost(graph="model.onnx", case="a", threads=1, seconds=2.0, nodes=nodes)
    assert [(row.module, row.nodes, row.seconds) for row in cost.modules(2)] == [
        ("layer1.1", 1, 1.0),
        ("layer1.0", 2, 0.75),
    ]
    assert [(row.module, row.nodes, row.seconds) for row in cost.modules(1)] == [("layer1", 3, 1.75)]


def test_every_node_that_is_executed_is_timed(make_bundle: MakeBundle) -> None:
    cost = profile_graph(Bundle.open(make_bundle()), graph="pipeline.onnx", runs=3)
    assert sorted(node.op for node in cost.nodes) == ["Cast", "Mul", "ReduceMean", "Softmax"] or sorted(
        node.op for node in cost.nodes
    ) == ["Cast", "Div", "ReduceMean", "Softmax"]
    assert [node.seconds for node in cost.nodes] == sorted((node.seconds for node in cost.nodes), reverse=True)
    assert (cost.graph, cost.case) == ("pipeline.onnx", "case-0")


def test_the_command_prints_modules_and_nodes(make_bundle: MakeBundle, zoo_command: Callable[..., Said]) -> None:
    bundle = str(make_bundle())
    said = zoo_command("profile", bundle, "--runs", "2", "--top", "1")
    assert said.code == 0, said.err
    assert "and 3 more (--top)" in said.out and said.out.splitlines()[-1] == f"next: zoo bench {bundle}"
    document = zoo_command("profile", bundle, "--runs", "2", "--json").json
    assert (document["graph"], len(document["nodes"]), document["threads"]) == ("pipeline.onnx", 4, 1)


def test_bad_input_is_one_sentence(make_bundle: MakeBundle, zoo_command: Callable[..., Said], tmp_path: Path) -> None:
    bundle = make_bundle()
    said = zoo_command("profile", str(bundle), "--variant", "int8")
    assert (said.code, "has no variant int8" in said.err) == (2, True), said.err
    with pytest.raises(UsageError, match="no variant int4"):
        profile_graph(Bundle.open(bundle), graph="pipeline.onnx", variant="int4")
    (bundle / "pipeline.onnx").write_bytes(b"x" * (bundle / "pipeline.onnx").stat().st_size)
    said = zoo_command("profile", str(bundle))
    assert said.code == 1 and "pipeline.onnx failed: its sha256 is not the one in the manifest" in said.err
    assert said.err.splitlines()[-1] == f"zoo verify {bundle}"
    assert zoo_command("profile", str(tmp_path / "none")).code == 2
