"""Hostile and broken files are refused with a sentence, before anything loads them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.bundle.runtime import graphs
from tests.conftest import Said
from zoo.api.errors import BadFile
from zoo.bundle.onnx_file.safety.hazards import LOOKED_FOR
from zoo.bundle.onnx_file.safety.scan import Value, demand_safe, scan


def test_a_good_file_is_described(tmp_path: Path) -> None:
    good = graphs.linear()
    good.metadata_props.add(key="zoo.model", value="cnn/cnn")
    found = demand_safe(graphs.saved(good, tmp_path / "model.onnx"))
    assert found.inputs == (Value(name="x", dtype="float32", shape=("batch", 4)),)
    assert found.outputs == (Value(name="y", dtype="float32", shape=("batch", 2)),)
    assert (found.opset, found.parameters, found.ops, found.refused, found.notes) == (18, 10, {"Gemm": 1}, (), ())
    assert found.made_by_zoo
    assert not scan(graphs.saved(graphs.linear(), tmp_path / "foreign.onnx")).made_by_zoo


GOOD = graphs.linear().SerializeToString()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "it is empty"),
        (b"\n<!DOCTYPE html><html>404</html>", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"PK\x03\x04" + bytes(64), "PyTorch or zip file"),
        (GOOD[: len(GOOD) // 2], "truncated"),
        (bytes(range(256)), "truncated, or something else"),
    ],
)
def test_what_is_no_onnx_file_is_told_by_its_look(tmp_path: Path, raw: bytes, reason: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(raw)
    with pytest.raises(BadFile, match=reason):
        scan(path)


@pytest.mark.parametrize("name", ["absent.onnx", "."])
def test_a_path_that_is_no_file_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadFile, match=r"No such file|is no file"):
        scan(tmp_path / name)


def deep(levels: int) -> onnx.ModelProto:
    """Branches within branches."""
    out = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    inner = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "leaf", [], [out])
    for level in range(levels):
        choose = helper.make_node("If", ["c"], ["y"], name=f"if{level}", then_branch=inner, else_branch=inner)
        inner = helper.make_graph([choose], "branch", [], [out])
    return graphs.model(list(inner.node), shape=[1], out=[1])


def huge() -> onnx.ModelProto:
    claimed = graphs.linear()
    claimed.graph.initializer[0].dims[:] = [2**40, 2**40]
    return claimed


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        (graphs.bomb(), "makes 68,719,476,736 elements out of nothing"),
        (graphs.bomb(2**63 - 1), "elements out of nothing"),
        (graphs.endless(), "'spin' has no bound"),
        (graphs.endless(trips=graphs.numbers("trips", 2**62)), "'spin' may run more than a million times"),
        (graphs.outside("../secret"), "lies outside the file, in '../secret'"),
        (graphs.model([helper.make_node("Steal", ["x"], ["y"], domain="evil")]), "operators come from evil"),
        (graphs.model([helper.make_node("Relu", ["x"], ["y"])], domains=["", "com.ms"]), "come from com.ms"),
        (graphs.model([helper.make_node("Relu", ["x"], ["y"])], domains=[]), "names no opset"),
        (huge(), "claims the shape"),
        (
            graphs.model(
                [
                    helper.make_node("Constant", [], ["n"], value=graphs.numbers("n", 2**20, 2**20)),
                    helper.make_node("Expand", ["x", "n"], ["y"]),
                ]
            ),
            "the Expand node '' makes 1,099,511,627,776",
        ),
    ],
)
def test_a_hostile_file_is_refused(tmp_path: Path, hostile: onnx.ModelProto, reason: str) -> None:
    path = graphs.saved(hostile, tmp_path / "model.onnx")
    with pytest.raises(BadFile, match="is refused: ") as caught:
        demand_safe(path)
    assert reason in caught.value.message


def test_hostile_nodes_are_found_inside_branches_and_functions(tmp_path: Path) -> None:
    out = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    hidden = helper.make_graph([helper.make_node("Steal", ["x"], ["y"], domain="evil")], "branch", [], [out])
    branch = helper.make_node("If", ["c"], ["y"], then_branch=hidden, else_branch=hidden)
    assert "evil" in scan(graphs.saved(graphs.model([branch]), tmp_path / "branch.onnx")).refused[0]
    called = graphs.model([helper.make_node("Relu", ["x"], ["y"])])
    body = [helper.make_node("Steal", ["a"], ["b"], domain="evil")]
    called.functions.append(helper.make_function("", "F", ["a"], ["b"], body, [helper.make_opsetid("", 18)]))
    assert "evil" in scan(graphs.saved(called, tmp_path / "function.onnx")).refused[0]


@pytest.mark.slow
@pytest.mark.parametrize(("levels", "refused"), [(3, False), (17, True)])
def test_branches_may_be_nested_but_not_for_ever(tmp_path: Path, levels: int, refused: bool) -> None:
    single = deep(levels)
    for node in _ifs(single.graph):  # one branch each, else the file doubles with every level
        del node.attribute[1:]
    found = scan(graphs.saved(single, tmp_path / "model.onnx"))
    assert any("nested deeper" in reason for reason in found.refused) == refused


def _ifs(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    return [graph.node[0], *_ifs(graph.node[0].attribute[0].g)] if graph.node[0].op_type == "If" else []


@pytest.mark.parametrize("link", ["hard", "symbolic"])
def test_a_link_beside_the_file_is_named(tmp_path: Path, link: str) -> None:
    (tmp_path / "secret").write_bytes(bytes(64))
    if link == "hard":
        os.link(tmp_path / "secret", tmp_path / "place")
    else:
        (tmp_path / "place").symlink_to("secret")
    found = scan(graphs.saved(graphs.outside("place"), tmp_path / "model.onnx"))
    assert f"a {link} link" in found.refused[0]


def test_links_to_the_file_itself_are_notes(tmp_path: Path) -> None:
    path = graphs.saved(graphs.linear(), tmp_path / "model.onnx")
    os.link(path, tmp_path / "other.onnx")
    assert "has 2 names" in scan(path).notes[0]
    (tmp_path / "link.onnx").symlink_to(path)
    assert "symbolic link" in scan(tmp_path / "link.onnx").notes[0]


def test_a_loop_with_a_bound_and_random_numbers_are_no_reason(tmp_path: Path) -> None:
    assert not scan(graphs.saved(graphs.endless(trips=graphs.numbers("trips", 100)), tmp_path / "a.onnx")).refused
    noise = graphs.model([helper.make_node("RandomNormal", [], ["y"], shape=[2, 2])])
    assert scan(graphs.saved(noise, tmp_path / "b.onnx")).notes == ("it draws random numbers (RandomNormal)",)


def test_inspect_shows_a_file_and_exits_1_for_a_hostile_one(tmp_path: Path, zoo_command: Callable[..., Said]) -> None:
    good = zoo_command("inspect", str(graphs.saved(graphs.linear(), tmp_path / "good.onnx")))
    assert good.code == 0
    for text in (
        "x  float32 [batch, 4]",
        "Gemm 1",
        "zoo did not make this file",
        "found       nothing of that",
        "next: zoo verify",
    ):
        assert text in good.out
    bad = zoo_command("inspect", str(graphs.saved(graphs.endless(), tmp_path / "bad.onnx")), "--json")
    assert bad.code == 1
    assert bad.json["schema"] == 1
    assert "may run for ever" in bad.json["refused"][0]
    assert bad.json["looked_for"] == list(LOOKED_FOR)
    said = zoo_command("inspect", str(tmp_path / "bad.onnx"))
    assert "found       1 reasons not to load it" not in said.out
    assert "found       a reason not to load it" in said.out
    assert "safe" not in said.out + good.out


def test_inspect_of_what_cannot_be_read_exits_2(tmp_path: Path, zoo_command: Callable[..., Said]) -> None:
    (tmp_path / "page.onnx").write_bytes(b"<html>")
    for name in ("page.onnx", "absent.onnx"):
        said = zoo_command("inspect", str(tmp_path / name))
        assert (said.code, said.out) == (2, "")
        assert name in said.err


def test_a_large_constant_is_not_copied(tmp_path: Path) -> None:
    big = numpy_helper.from_array(np.zeros(1000, np.int64), "big")
    found = graphs.model([helper.make_node("ConstantOfShape", ["big"], ["y"])], constants=[big])
    assert scan(graphs.saved(found, tmp_path / "model.onnx")).parameters == 1000


def edited(change: Callable[[onnx.TensorProto], object]) -> onnx.ModelProto:
    """The linear model with its weight changed."""
    model = graphs.linear()
    change(model.graph.initializer[0])
    return model


def cut(tensor: onnx.TensorProto) -> None:
    tensor.raw_data = tensor.raw_data[:5]


def unknown(tensor: onnx.TensorProto) -> None:
    tensor.data_type = 99


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (cut, "the tensor 'fc.weight' holds 5 bytes where its shape needs 32"),
        (unknown, "the tensor 'fc.weight' is of the unknown type 99"),
    ],
)
def test_a_malformed_tensor_is_refused_by_every_reader(
    tmp_path: Path, zoo_command: Callable[..., Said], change: Callable[[onnx.TensorProto], object], reason: str
) -> None:
    path = graphs.saved(edited(change), tmp_path / "bad.onnx")
    assert reason in zoo_command("inspect", str(path)).out
    good = graphs.saved(graphs.linear(), tmp_path / "good.onnx")
    said = zoo_command("diff", str(good), str(path))
    assert (said.code, reason in said.err) == (2, True)


@pytest.mark.parametrize("kind", ["FLOAT", "BFLOAT16", "INT4", "FLOAT8E4M3FN", "BOOL", "COMPLEX64"])
def test_tensors_of_every_width_are_sound(tmp_path: Path, kind: str) -> None:
    number = onnx.TensorProto.DataType.Value(kind)
    model = graphs.linear()
    model.graph.initializer.append(helper.make_tensor("extra", number, [4], np.zeros(4)))
    assert scan(graphs.saved(model, tmp_path / "model.onnx")).refused == ()


def test_what_a_file_says_does_not_command_the_terminal(tmp_path: Path, zoo_command: Callable[..., Said]) -> None:
    model = graphs.linear()
    model.producer_name = "\x1b[2J\x1b]0;title\x07kind\nfound       nothing at all"
    model.metadata_props.add(key="zoo.\x9b31m", value="\u202egnp.exe")
    said = zoo_command("inspect", str(graphs.saved(model, tmp_path / "model.onnx")))
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(said.out)
    assert r"\x1b[2J\x1b]0;title\x07kind found" in said.out
    assert [" ".join(line.split()) for line in said.out.splitlines() if line.startswith("found")] == [
        "found nothing of that; sizes and turns that depend on inputs were not looked at"
    ]


def test_hostile_nodes_are_found_in_what_a_function_has_for_a_default(tmp_path: Path) -> None:
    out = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    hidden = helper.make_graph([helper.make_node("Steal", ["x"], ["y"], domain="evil")], "branch", [], [out])
    called = graphs.model([helper.make_node("Relu", ["x"], ["y"])])
    body = [helper.make_node("Relu", ["a"], ["b"])]
    called.functions.append(helper.make_function("", "F", ["a"], ["b"], body, [helper.make_opsetid("", 18)]))
    called.functions[0].attribute_proto.append(helper.make_attribute("branch", hidden))
    assert "evil" in scan(graphs.saved(called, tmp_path / "model.onnx")).refused[0]


def test_weights_listed_as_inputs_are_no_inputs_but_worth_a_note(tmp_path: Path) -> None:
    older = graphs.linear()
    for tensor in older.graph.initializer:
        older.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    found = demand_safe(graphs.saved(older, tmp_path / "model.onnx"))
    assert [value.name for value in found.inputs] == ["x"]
    assert found.notes == ("2 of its stored tensors are inputs too: whoever runs it may feed others",)
