"""One capture: what is refused, what is in the file, and how quietly it gets there."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from tests.zoo_export.conftest import tiny
from zoo.api.errors import NotProved, PluginError, Refused, UsageError
from zoo.api.task import Port, Signature
from zoo.bundle.sandbox.runtime import Runtime
from zoo_export.capture.torch_export import check_size, export_graph, output_order, serialize
from zoo_export.measure.onnx_facts import arithmetic, declared_axes, graph_facts

IMAGE = Port(name="image", dtype="float32", shape=("batch", 3, 12, 12))
LOGITS = Port(name="logits", dtype="float32", shape=("batch", 4))
SIGNATURE = Signature(inputs=(IMAGE,), outputs=(LOGITS,))


def example(count: int = 2) -> dict[str, np.ndarray]:
    return {"image": np.random.default_rng(0).normal(size=(count, 3, 12, 12)).astype(np.float32)}


@pytest.mark.parametrize("opset", [0, 13, 17, 99])
def test_an_opset_that_the_exporter_would_silently_change_is_refused(opset: int) -> None:
    with pytest.raises(UsageError, match=f"opset {opset} is not supported: the exporter writes opsets 18 to"):
        export_graph(tiny(), example(), SIGNATURE, opset=opset, name="tiny")


def test_a_graph_that_cannot_be_written_says_what_the_exporter_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def unwritten(_: object) -> onnx.ModelProto:
        try:
            raise TypeError("Cannot take content out from the FakeTensor ('lifted')\nmore")
        except TypeError as error:
            raise ValueError("Error calling serialize_model_into with: ir_version=10") from error

    monkeypatch.setattr(torch.onnx.ONNXProgram, "model_proto", property(unwritten))
    sentence = r"could not be written: TypeError: Cannot take content out from the FakeTensor \('lifted'\)$"
    with pytest.raises(PluginError, match=sentence):
        export_graph(tiny(), example(), SIGNATURE, opset=18, name="tiny")


def test_more_parameters_than_a_file_holds_are_refused_and_tied_ones_count_once() -> None:
    tied = nn.ModuleList([nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False)])
    tied[1].weight = tied[0].weight
    check_size(tied, name="tied", largest=256)
    with pytest.raises(Refused, match=r"big has 256 bytes of parameters, and zoo exports up to 255"):
        check_size(tied, name="big", largest=255)


def test_a_module_in_training_mode_is_refused_by_path() -> None:
    module = tiny()
    module.bn.train()
    with pytest.raises(NotProved, match=r"tiny is in training mode \(bn\)"):
        export_graph(module, example(), SIGNATURE, opset=18, name="tiny")


def test_the_file_holds_its_opset_its_axes_and_no_local_path(capfd: pytest.CaptureFixture[str]) -> None:
    graph = export_graph(tiny(), example(), SIGNATURE, opset=18, name="tiny")
    assert capfd.readouterr() == ("", "")
    facts = graph_facts(graph.shipped.model, opset_asked=18)
    assert (facts.opset, facts.paths, facts.domains, facts.random, facts.forbidden) == (18, (), ("",), (), ())
    assert graph_facts(graph.plain.model, opset_asked=18).paths  # what the exporter wrote by itself has them
    assert declared_axes(graph.shipped.model, SIGNATURE) == ()
    assert [
        dim.dim_param or dim.dim_value for dim in graph.shipped.model.graph.output[0].type.tensor_type.shape.dim
    ] == [
        "batch",
        4,
    ]
    assert "bn" in graph.modules.values()


@pytest.mark.slow
def test_the_same_module_gives_the_same_bytes() -> None:
    first, second = (export_graph(tiny(), example(), SIGNATURE, opset=18, name="tiny") for _ in range(2))
    assert serialize(first.shipped.model) == serialize(second.shipped.model)


def test_outputs_are_named_in_the_order_of_the_module_also_where_one_tensor_has_two_names() -> None:
    ports = tuple(Port(name=name, dtype="float32", shape=(2,)) for name in ("a", "b"))
    zeros, ones = torch.zeros(2), torch.ones(2)
    assert output_order({"b": zeros, "a": ones}, ports) == ["b", "a"]
    assert output_order((zeros, ones), ports) == ["a", "b"]
    assert output_order((zeros, zeros), ports) == ["a", "b"]


class Both(nn.Module):
    """A dict whose keys stand in another order than the signature's ports."""

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {"total": image.sum((1, 2, 3)), "largest": image.amax((1, 2, 3))}


def test_dict_outputs_are_found_by_name(runtime: Runtime) -> None:
    ports = tuple(Port(name=name, dtype="float32", shape=("batch",)) for name in ("largest", "total"))
    graph = export_graph(Both().eval(), example(), Signature(inputs=(IMAGE,), outputs=ports), opset=18, name="both")
    given = runtime.run(runtime.session(serialize(graph.shipped.model)), example(3))
    assert np.array_equal(given["largest"], example(3)["image"].max((1, 2, 3)))
    np.testing.assert_allclose(given["total"], example(3)["image"].sum((1, 2, 3)), rtol=1e-4)


class Pair(nn.Module):
    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return image.mean((1, 2, 3)), image.argmax(1)


def test_tuple_outputs_are_named_in_order_and_counted() -> None:
    port = Port(name="mean", dtype="float32", shape=("batch",))
    best = Port(name="best", dtype="int64", shape=("batch", 12, 12))
    graph = export_graph(
        Pair().eval(), example(), Signature(inputs=(IMAGE,), outputs=(port, best)), opset=18, name="pair"
    )
    assert [value.name for value in graph.shipped.model.graph.output] == ["mean", "best"]
    with pytest.raises(PluginError, match="gives 2 tensors but its signature names 1 outputs: mean"):
        export_graph(Pair().eval(), example(), Signature(inputs=(IMAGE,), outputs=(port,)), opset=18, name="pair")


class Branching(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return image if image.sum() > 0 else -image


def test_what_cannot_be_captured_is_a_sentence() -> None:
    port = Port(name="out", dtype="float32", shape=("batch", 3, 12, 12))
    with pytest.raises(PluginError, match="branching cannot be captured by the exporter: ") as caught:
        export_graph(
            Branching().eval(), example(), Signature(inputs=(IMAGE,), outputs=(port,)), opset=18, name="branching"
        )
    assert "\n" not in caught.value.message


def test_random_nodes_and_frozen_axes_are_facts() -> None:
    helper = onnx.helper
    graph = helper.make_graph(
        [
            helper.make_node("RandomNormalLike", ["x"], ["noise"], "noisy"),
            helper.make_node("Add", ["x", "noise"], ["y"]),
        ],
        "random",
        [helper.make_tensor_value_info("x", 1, [2, 3])],
        [helper.make_tensor_value_info("y", 1, ["batch", "3*batch"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    assert graph_facts(model, opset_asked=18).random == ("RandomNormalLike noisy",)
    assert arithmetic(model, (), SIGNATURE) == ("y[1] = 3*batch",)
    assert arithmetic(model, ("y",), SIGNATURE) == ()
    port = Port(name="x", dtype="float32", shape=("batch", 3))
    out = Port(name="y", dtype="float32", shape=("batch", 3))
    assert declared_axes(model, Signature(inputs=(port,), outputs=(out,))) == ("x[0] is 2, not batch",)


def test_dropout_in_training_mode_is_a_fact() -> None:
    class Dropping(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return nn.functional.dropout(image, 0.5, training=True)

    port = Port(name="out", dtype="float32", shape=("batch", 3, 12, 12))
    graph = export_graph(
        Dropping().eval(), example(), Signature(inputs=(IMAGE,), outputs=(port,)), opset=18, name="dropping"
    )
    assert any("Dropout" in one or "Random" in one for one in graph_facts(graph.shipped.model, opset_asked=18).random)


def test_outputs_that_nobody_declared_or_in_another_order_are_facts() -> None:
    helper = onnx.helper
    values = {name: helper.make_tensor_value_info(name, 1, ["batch", 3]) for name in ("x", "y", "z")}
    nodes = [helper.make_node("Neg", ["x"], ["y"]), helper.make_node("Neg", ["y"], ["z"])]
    ports = {name: Port(name=name, dtype="float32", shape=("batch", 3)) for name in values}

    def wrong(*outputs: str) -> tuple[str, ...]:
        graph = helper.make_graph(nodes, "order", [values["x"]], [values[name] for name in outputs])
        return declared_axes(
            helper.make_model(graph), Signature(inputs=(ports["x"],), outputs=(ports["y"], ports["z"]))
        )

    assert wrong("y", "z") == ()
    assert wrong("z", "y") == ("the file has z, y in this order, not y, z",)
    graph = helper.make_graph(nodes, "more", [values["x"]], [values["z"], values["y"]])
    found = declared_axes(helper.make_model(graph), Signature(inputs=(ports["x"],), outputs=(ports["z"],)))
    assert found == ("the file has z, y in this order, not z",)


def test_a_graph_that_is_none_is_a_sentence() -> None:
    helper = onnx.helper
    values = [helper.make_tensor_value_info(name, 1, ["batch", 3]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Neg", ["nowhere"], ["y"])], "broken", values[:1], values[1:])
    with pytest.raises(PluginError, match="what was captured is no valid graph: ValidationError: ") as caught:
        serialize(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]))
    assert "clone" in caught.value.hint


def test_random_nodes_are_found_in_the_branches_of_functions() -> None:
    helper = onnx.helper
    y = helper.make_tensor_value_info("y", 1, [1])
    branch = helper.make_graph([helper.make_node("RandomNormalLike", ["x"], ["y"], "hidden")], "branch", [], [y])
    choose = helper.make_node("If", ["c"], ["b"], then_branch=branch, else_branch=branch)
    x = helper.make_tensor_value_info("x", 1, [1])
    model = helper.make_model(helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "it", [x], [y]))
    model.functions.append(helper.make_function("", "F", ["x", "c"], ["b"], [choose], [helper.make_opsetid("", 18)]))
    assert graph_facts(model, opset_asked=18).random == ("RandomNormalLike hidden",) * 2


def test_a_signature_that_names_another_dtype_is_told() -> None:
    port = Port(name="logits", dtype="int64", shape=("batch", 4))
    shipped = export_graph(tiny(), example(), SIGNATURE, opset=18, name="tiny").shipped.model
    wrong = Signature(inputs=(IMAGE,), outputs=(port,))
    assert declared_axes(shipped, wrong) == ("logits is float32, not int64",)


def test_weights_that_are_listed_as_inputs_are_no_inputs() -> None:
    shipped = export_graph(tiny(), example(), SIGNATURE, opset=18, name="tiny").shipped.model
    for tensor in shipped.graph.initializer:
        shipped.graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    assert declared_axes(shipped, SIGNATURE) == ()
