"""OpenVINO in the worker: golden cases replayed, names of ports kept, nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.bundle.conftest import MakeBundle
from tests.bundle.runtime import graphs
from tests.conftest import Said
from zoo.api.errors import MissingExtra
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.golden_replay import replay
from zoo.bundle.sandbox.refusals import RuntimeRefused
from zoo.bundle.sandbox.runtime import Runtime
from zoo.registry.catalog import Catalog

EXPORTED = Path(__file__).parents[2] / "data" / "zoo_0_1" / "exported"
openvino = pytest.importorskip("openvino")


def relu_under_many_names() -> onnx.ModelProto:
    """x float32 [n, 2] -> its ReLU twice and itself, through nodes that do nothing."""
    names = ("second", "t/out", "third")
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        *(helper.make_node("Identity", [source], [name]) for source, name in zip("aax", names, strict=True)),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in names]
    graph = helper.make_graph(nodes, "names", [x], outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def test_golden_cases_are_put_to_it_and_the_precision_is_said(
    make_bundle: MakeBundle, zoo_command: Callable[..., Said]
) -> None:
    said = zoo_command("verify", str(make_bundle()), "--runtime", "openvino", "--json")
    assert (said.code, said.json["verdict"]) == (0, "PASS")
    version = openvino.__version__.partition("-")[0]
    assert {gate["name"]: gate["detail"] for gate in said.json["gates"]}["openvino"] == (
        f"OpenVINO {version} on CPU, float32: it reproduces all 2 golden cases, fewer than the 5 that "
        "zoo has of most models"
    )


def test_a_resize_that_it_does_as_no_other_is_noticed() -> None:
    """Pictures of 0.1 were resized by ONNX's operator, whose `antialias` it ignores: so this check can fail."""
    bundle = Bundle.open(EXPORTED / "conv_autoencoder")
    with Runtime(engine="openvino") as runtime:
        session = runtime.session(bundle.path / "pipeline.onnx")
        cases = [case for case in bundle.manifest.golden if case.graph == "pipeline.onnx"]
        differences = replay(bundle.path, cases, lambda _: lambda feeds: runtime.run(session, feeds))
    assert differences["landscape"] and differences["portrait"]


def test_outputs_keep_the_names_and_the_order_of_the_graph() -> None:
    x = np.array([[-1.0, 2.0]], np.float32)
    with Runtime(engine="openvino") as runtime:
        session = runtime.session(relu_under_many_names().SerializeToString())
        assert [port.name for port in session.inputs] == ["x"]
        assert [port.name for port in session.outputs] == ["second", "t/out", "third"]
        answers = runtime.run(session, {"x": x})
        assert {name: value.tolist() for name, value in answers.items()} == {
            "second": [[0, 2]],
            "t/out": [[0, 2]],
            "third": [[-1, 2]],
        }
        assert list(runtime.run(session, {"x": x}, outputs=["third"])) == ["third"]


def test_what_it_refuses_is_said_in_its_name() -> None:
    with Runtime(engine="openvino") as runtime:
        with pytest.raises(RuntimeRefused, match="loading the model failed: OpenVINO says"):
            runtime.session(b"no graph")
        session = runtime.session(graphs.linear().SerializeToString())
        assert runtime.run(session, {"x": np.ones((2, 4), np.float32)})["y"].tolist() == [[13, 15], [13, 15]]


def test_it_leaves_nothing_at_home_and_has_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    for name in ("home", "scratch"):
        (tmp_path / name).mkdir()
    with Runtime(engine="openvino") as runtime:
        runtime.session(graphs.linear().SerializeToString())
        assert runtime.in_words().endswith("no network")
    assert [*(tmp_path / "home").iterdir(), *(tmp_path / "scratch").iterdir()] == []


def test_a_missing_extra_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Catalog, "missing", lambda *_: ("openvino>=2026.1,<2027",))
    with pytest.raises(MissingExtra) as error:
        Runtime(engine="openvino")
    assert error.value.hint == "pip install 'edgezoo[openvino]'"
