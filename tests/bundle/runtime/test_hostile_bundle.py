"""Bundles that somebody made up to upset the reader: a sentence and exit code 1 or 2, never a traceback or a wait."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.bundle.conftest import MakeBundle, answer, serialized
from tests.bundle.runtime import graphs
from tests.bundle.runtime.test_bundle import relist, rewrite
from tests.conftest import Said
from zoo.api.errors import BadFile
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.bundle import Bundle, verify_bundle
from zoo.bundle.runtime.bundled_self_test import difference
from zoo.bundle.runtime.golden_replay import feeds_of, golden_bytes
from zoo.bundle.runtime.manifest import MAX_FILE_BYTES, MAX_GOLDEN, MAX_STEPS
from zoo.bundle.sandbox.limits import Limits

ZooCommand = Callable[..., Said]
IMAGE = np.zeros((4, 4, 3), np.uint8)


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def header(text: str) -> bytes:
    """An array file with this header and no data."""
    padded = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded


def archive(members: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as written:
        for name, data in members.items():
            written.writestr(name, data)
    return buffer.getvalue()


def beside(member: bytes, *, name: str = "out.probabilities.npy") -> bytes:
    """A sound input and something else for the answer."""
    return archive({"in.image.npy": npy(IMAGE), name: member})


def broken_lzma() -> bytes:
    raw = bytearray(archive({"in.image.npy": npy(IMAGE)}, compression=zipfile.ZIP_LZMA))
    start = 30 + sum(struct.unpack("<HH", raw[26:30]))
    raw[start + 4 : start + 30] = bytes(26)
    return bytes(raw)


def directory_byte(offset: int, value: int) -> bytes:
    """A sound case but for one byte of its first entry in the archive's directory."""
    raw = bytearray(beside(npy(answer(IMAGE))))
    raw[raw.find(b"PK\x01\x02") + offset] = value
    return bytes(raw)


GOLDEN = {
    "no array": beside(b"hello", name="out.probabilities"),
    "a header without end": beside(header("{'descr': '''|u1")),
    "a header that is no Python": beside(header("{'shape': ((((, }")),
    "a header with ragged lines": beside(header("  {\n 'a':1\n}\n   b\n c")),
    "a header of a petabyte": beside(header("{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000000,)}")),
    "broken lzma": broken_lzma(),
    "another version of zip": directory_byte(6, 99),
    "a name of no encoding": directory_byte(9, 8).replace(b"in.image", b"in.\xffmage"),
    "complex numbers": beside(npy(answer(IMAGE) + 5j)),
    "times": beside(npy(np.zeros(3, "M8[s]"))),
    "texts": beside(npy(np.array(["a", "b", "c"]))),
}


def recursive() -> onnx.ModelProto:
    """x -> y through a function that calls itself."""
    node = helper.make_node("Again", ["x"], ["y"], domain="of.the.file")
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("of.the.file", 1)]
    function = helper.make_function("of.the.file", "Again", ["x"], ["y"], [node], opsets)
    model = graphs.model([node])
    model.functions.append(function)
    model.opset_import.append(helper.make_opsetid("of.the.file", 1))
    return model


def doubling(levels: int) -> onnx.ModelProto:
    """x -> y through functions that each call the one before twice."""
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("of.the.file", 1)]
    model = graphs.model([helper.make_node(f"F{levels}", ["x"], ["y"], domain="of.the.file")])
    for level in range(levels + 1):
        name, domain = (f"F{level - 1}", "of.the.file") if level else ("Relu", "")
        twice = [
            helper.make_node(name, [source], [target], domain=domain) for source, target in (("x", "z"), ("z", "y"))
        ]
        model.functions.append(helper.make_function("of.the.file", f"F{level}", ["x"], ["y"], twice, opsets))
    model.opset_import.append(helper.make_opsetid("of.the.file", 1))
    return model


def branches(levels: int) -> onnx.ModelProto:
    """x -> y through branches within branches."""
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    node = helper.make_node("Identity", ["x"], ["y"])
    short = helper.make_graph([node], "short", [], [out])
    for _ in range(levels):
        deep = helper.make_graph([node], "deep", [], [out])
        node = helper.make_node("If", ["yes"], ["y"], then_branch=deep, else_branch=short)
    yes = helper.make_node("Constant", [], ["yes"], value=helper.make_tensor("", TensorProto.BOOL, [], [True]))
    return graphs.model([yes, node])


@pytest.mark.parametrize("how", GOLDEN)
def test_a_golden_file_that_numpy_cannot_read_exits_2(
    make_bundle: MakeBundle, zoo_command: ZooCommand, how: str
) -> None:
    bundle = make_bundle()
    (bundle / "golden/case-0.npz").write_bytes(GOLDEN[how])
    relist(bundle, "golden/case-0.npz")
    said = zoo_command("verify", str(bundle))
    assert (said.code, "case-0.npz is no golden case: " in said.err) == (2, True)


def test_steps_that_a_golden_case_does_not_hold_are_a_sentence(make_bundle: MakeBundle) -> None:
    path = make_bundle()
    golden = json.loads((path / "manifest.json").read_text())["golden"]
    (path / golden[0]["file"]).write_bytes(
        golden_bytes({"image": np.array(3, np.uint8)}, {"probabilities": answer(IMAGE)})
    )
    rewrite(path, golden=[{**golden[0], "steps": 3}])
    bundle = Bundle.open(path)
    with pytest.raises(BadFile, match="image has no 3 steps"):
        feeds_of(bundle.path, bundle.manifest.golden[0])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("listed", [False, True])
def test_a_pipe_is_no_file_of_a_bundle(make_bundle: MakeBundle, listed: bool) -> None:
    bundle = make_bundle()
    name = "task.py" if listed else "extra"
    if listed:
        (bundle / name).unlink()
    os.mkfifo(bundle / name)
    (files,) = (gate for gate in verify_bundle(bundle).gates if gate.name == "files")
    what = "is a link or no file" if listed else "is not in the manifest"
    assert (files.status, files.detail) == (Status.FAIL, f"{name} {what}")


def test_a_file_of_another_size_is_not_even_read(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    with (bundle / "task.py").open("wb") as file:
        file.truncate(1 << 42)
    (files,) = (gate for gate in verify_bundle(bundle).gates if gate.name == "files")
    assert files.status == Status.FAIL
    assert files.detail == "task.py was changed: its bytes are not those that the manifest names"


def test_sizes_and_counts_that_nobody_can_wait_for_are_refused(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    manifest = json.loads((bundle / "manifest.json").read_text())
    case, (first, *others) = manifest["golden"][0], manifest["files"]
    for changes, reason in (
        ({"files": [{**first, "bytes": MAX_FILE_BYTES + 1}, *others]}, "no file of a bundle has so many"),
        ({"files": [{**first, "bytes": -1}, *others]}, "no file of a bundle has so many"),
        ({"golden": [{**case, "steps": MAX_STEPS + 1}]}, f"has {MAX_STEPS + 1} steps"),
        ({"golden": [case] * (MAX_GOLDEN + 1)}, f"names {MAX_GOLDEN + 1} golden cases"),
    ):
        rewrite(bundle, **{"files": manifest["files"], "golden": manifest["golden"], **changes})
        with pytest.raises(BadFile, match=reason):
            Bundle.open(bundle)


GRAPHS: dict[str, Callable[[], onnx.ModelProto]] = {
    "data outside": lambda: graphs.outside("/etc/hostname"),
    "data beside": lambda: graphs.outside("task.py"),
    "a foreign operator": lambda: graphs.model([helper.make_node("Steal", ["x"], ["y"], domain="of.somebody")]),
    "a bomb": graphs.bomb,
    "a loop without end": graphs.endless,
    "a function that calls itself": recursive,
    "deep branches": lambda: branches(20),
    "many functions": lambda: doubling(40),
}


@pytest.mark.parametrize("name", ["model.onnx", "pipeline.onnx"])
@pytest.mark.parametrize("how", GRAPHS)
def test_a_hostile_graph_with_a_mended_hash_fails(make_bundle: MakeBundle, how: str, name: str) -> None:
    bundle = make_bundle()
    (bundle / name).write_bytes(serialized(GRAPHS[how]()))
    relist(bundle, name)
    checked = verify_bundle(bundle, limits=Limits(memory_mb=1536, cpu_seconds=1, wall_seconds=30))
    assert {gate.name: gate.status for gate in checked.gates}["files"] == "PASS"
    assert (checked.verdict, checked.holds) == ("FAIL", False)


def test_a_key_that_is_there_twice_is_refused(make_bundle: MakeBundle, zoo_command: ZooCommand) -> None:
    path: Path = make_bundle() / "manifest.json"
    path.write_text(path.read_text()[:-1] + ', "verdict": "PASS"}')
    said = zoo_command("verify", str(path.parent))
    assert (said.code, "it names 'verdict' twice" in said.err) == (2, True)


def test_whole_numbers_beyond_what_a_float_holds_are_compared_exactly() -> None:
    large = np.array([2**60], np.int64)
    assert difference(large + 1, large, {"compare": "equal"})
    assert not difference(large, large.copy(), {"compare": "equal"})
