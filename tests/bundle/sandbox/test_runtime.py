"""What the sandbox answers, and what it survives."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.bundle.conftest import MakeBundle
from tests.bundle.runtime import graphs
from zoo.api.errors import BadFile, SandboxError
from zoo.bundle.sandbox import process, worker
from zoo.bundle.sandbox import runtime as sandbox
from zoo.bundle.sandbox.limits import Limits
from zoo.bundle.sandbox.refusals import RuntimeRefused
from zoo.bundle.sandbox.runtime import Runtime
from zoo.runs.scratch import SHARED_MEMORY

LIMITS = Limits(memory_mb=2048, cpu_seconds=1, wall_seconds=20)


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with Runtime(limits=LIMITS) as started:
        yield started


def test_answers_come_back_as_they_were_computed(runtime: Runtime) -> None:
    session = runtime.session(graphs.linear().SerializeToString())
    x = np.random.default_rng(0).random((7, 4), dtype=np.float32)
    (answer,) = runtime.run(session, {"x": x}).values()
    np.testing.assert_allclose(answer, x @ np.arange(8).reshape(4, 2) + [1, -1], rtol=1e-6)
    assert answer.flags.writeable
    assert runtime.run(session, {"x": x[:0]})["y"].shape == (0, 2)
    assert (session.inputs[0].shape, session.outputs[0].name) == (("batch", 4), "y")


def test_every_dtype_shape_and_stride_passes_through(runtime: Runtime) -> None:
    for dtype in (np.uint8, np.int64, np.float16, np.float64, np.bool_):
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        graph = helper.make_graph(
            [helper.make_node("Identity", ["x"], ["y"])],
            "same",
            [helper.make_tensor_value_info("x", kind, None)],
            [helper.make_tensor_value_info("y", kind, None)],
        )
        same = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        session = runtime.session(same.SerializeToString())
        value = np.arange(24).reshape(2, 3, 4).astype(dtype)
        for array in (value, value.transpose(2, 0, 1), value[0, 0, 0], value[:, ::2]):
            answer = runtime.run(session, {"x": array})["y"]
            assert answer.dtype == array.dtype
            np.testing.assert_array_equal(answer, array)


def test_metadata_and_unoptimised_sessions(runtime: Runtime) -> None:
    described = graphs.linear()
    described.metadata_props.add(key="zoo.model", value="cnn/cnn")
    session = runtime.session(described.SerializeToString(), optimize=False)
    assert session.metadata == {"zoo.model": "cnn/cnn"}
    assert set(runtime.versions()) == {"onnxruntime", "numpy"}
    runtime.close(session)
    with pytest.raises(RuntimeRefused):
        runtime.run(session, {"x": np.zeros((1, 4), np.float32)})


def test_a_wrong_shape_is_refused_and_the_process_lives_on(runtime: Runtime) -> None:
    session = runtime.session(graphs.linear().SerializeToString(), title="model.onnx")
    with pytest.raises(RuntimeRefused, match=r"running model.onnx failed: .* Got: 3 Expected: 4"):
        runtime.run(session, {"x": np.zeros((1, 3), np.float32)})
    assert runtime.run(session, {"x": np.zeros((1, 4), np.float32)})["y"].tolist() == [[1, -1]]


@pytest.mark.parametrize("raw", [b"", b"<!doctype html>", graphs.linear().SerializeToString()[:60]])
def test_what_is_no_model_is_refused(runtime: Runtime, raw: bytes) -> None:
    with pytest.raises(RuntimeRefused, match="loading the model failed"):
        runtime.session(raw)


def test_a_foreign_operator_is_refused(runtime: Runtime) -> None:
    foreign = graphs.model([helper.make_node("Steal", ["x"], ["y"], domain="evil")], domains=["", "evil"])
    with pytest.raises(RuntimeRefused):
        runtime.session(foreign.SerializeToString())


@pytest.mark.parametrize("link", ["hard", "symbolic", "none"])
def test_weights_outside_the_file_are_never_read(runtime: Runtime, tmp_path: Path, link: str) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"s" * 64)
    if link == "hard":
        os.link(secret, tmp_path / "place")
    if link == "symbolic":
        (tmp_path / "place").symlink_to(secret)
    place = "secret" if link == "none" else "place"
    with pytest.raises(RuntimeRefused):
        runtime.session(graphs.saved(graphs.outside(place), tmp_path / "model.onnx"))


def test_an_allocation_bomb_is_a_sentence(runtime: Runtime) -> None:
    session = runtime.session(graphs.bomb().SerializeToString())
    with pytest.raises(SandboxError, match=r"wanted more than the 2048 MB it may have, in the ConstantOfShape node 'b"):
        runtime.run(session, {"x": np.zeros(1, np.float32)})
    assert runtime.versions()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits processor time")
def test_answers_too_large_to_hold_are_not_handed_over() -> None:
    elements = worker.MAX_ANSWERS // 4 + 1  # float32; the sandbox itself may hold them
    with Runtime(limits=Limits(memory_mb=2048, cpu_seconds=60, wall_seconds=120)) as runtime:
        session = runtime.session(graphs.bomb(elements).SerializeToString())
        with pytest.raises(RuntimeRefused, match=r"the answers take 1,073,741,828 bytes, 1,073,741,824 are allowed"):
            runtime.run(session, {"x": np.zeros(1, np.float32)})


@pytest.mark.slow
def test_an_endless_loop_uses_up_its_processor_time(runtime: Runtime) -> None:
    session = runtime.session(graphs.endless().SerializeToString())
    with pytest.raises(SandboxError, match=r"used more than 1 s of CPU"):
        runtime.run(session, {"x": np.zeros(1, np.float32)})


def test_a_hanging_process_is_stopped_by_the_clock() -> None:
    with Runtime(limits=LIMITS) as runtime:
        session = runtime.session(graphs.linear().SerializeToString())
        runtime.process.limits = replace(LIMITS, wall_seconds=0.5)
        assert runtime.process._process is not None
        os.kill(runtime.process._process.pid, signal.SIGSTOP)
        with pytest.raises(SandboxError, match=r"took longer than 0.5 s"):
            runtime.run(session, {"x": np.zeros((1, 4), np.float32)})


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits processor time")
def test_a_process_that_works_is_stopped_by_its_processor_time_alone() -> None:
    """On a busy machine a call takes many times as long on the clock as it works."""
    with Runtime(limits=LIMITS) as runtime:
        session = runtime.session(graphs.endless().SerializeToString())
        runtime.process.limits = replace(LIMITS, wall_seconds=0.2)
        with pytest.raises(SandboxError, match=r"used more than 1 s of CPU"):
            runtime.run(session, {"x": np.zeros(1, np.float32)})


def test_a_process_that_dies_by_a_signal_is_a_sentence_and_the_next_call_starts_anew() -> None:
    with Runtime(limits=LIMITS) as runtime:
        session = runtime.session(graphs.linear().SerializeToString(), title="model.onnx")
        assert runtime.process._process is not None
        os.kill(runtime.process._process.pid, signal.SIGSEGV)
        with pytest.raises(SandboxError, match=r"running model.onnx crashed ONNX Runtime: .* killed by SIGSEGV"):
            runtime.run(session, {"x": np.zeros((1, 4), np.float32)})
        session = runtime.session(graphs.linear().SerializeToString())
        assert runtime.run(session, {"x": np.zeros((1, 4), np.float32)})["y"].shape == (1, 2)


@pytest.mark.skipif(sys.platform != "linux", reason="no such limits elsewhere")
@pytest.mark.parametrize(("limit", "code"), [("-f 4000000", 0), ("-v 4000000", 0), ("-t 100", 0), ("-f 0", 3)])
def test_limits_of_the_account_stay_and_say_nothing_of_a_bundle(make_bundle: MakeBundle, limit: str, code: int) -> None:
    command = f"ulimit {limit}; exec {sys.executable} -m zoo verify {make_bundle()}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, "FAIL" in done.stdout) == (code, False), done.stdout + done.stderr


def test_the_exit_of_a_process_that_cannot_start_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "worker.py"
    broken.write_text("raise SystemExit('no runtime here')")
    monkeypatch.setattr(process, "WORKER", broken)
    with Runtime(limits=LIMITS) as runtime, pytest.raises(SandboxError, match=r"exit code 1 \(no runtime here\)"):
        runtime.versions()


def test_the_folder_goes_with_the_process() -> None:
    with Runtime(limits=LIMITS) as runtime:
        folder = runtime.process.folder()
        assert folder.is_dir()
    assert not folder.exists()


@pytest.mark.parametrize(("free", "in_memory"), [(0, True), (1 << 62, False)])
def test_shared_memory_is_used_where_there_is_room_in_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, in_memory: bool
) -> None:
    """A container's 64 MB hold no model of 100 MB; TMPDIR does."""
    monkeypatch.setattr(process, "ROOMY", free)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Runtime(limits=LIMITS) as runtime:
        assert runtime.process._scratch is not None
        parent = runtime.process._scratch.path.parent
        runtime.session(graphs.linear().SerializeToString())
    assert parent == (SHARED_MEMORY if in_memory else tmp_path)


def test_a_folder_that_somebody_removed_is_a_sentence_and_the_next_call_starts_anew() -> None:
    with Runtime(limits=LIMITS) as runtime:
        session = runtime.session(graphs.linear().SerializeToString())
        shutil.rmtree(runtime.process.folder())
        with pytest.raises(SandboxError, match="the folder of its process was removed"):
            runtime.run(session, {"x": np.zeros((1, 4), np.float32)})
        assert runtime.session(graphs.linear().SerializeToString()).outputs[0].name == "y"


def test_a_file_that_is_too_large_is_not_even_read(monkeypatch: pytest.MonkeyPatch, runtime: Runtime) -> None:
    monkeypatch.setattr(sandbox, "MAX_ONNX_BYTES", 10)
    with pytest.raises(BadFile, match="an ONNX file holds 10 without its weights"):
        runtime.session(bytes(11))


def half_precision_lstm() -> onnx.ModelProto:
    """An LSTM whose weights and data are float16, as converters make it."""
    rng = np.random.default_rng(0)
    weights = [
        numpy_helper.from_array((rng.random((1, 4 * 8, width)) / 8).astype(np.float16), name)
        for name, width in (("W", 4), ("R", 8))
    ]
    node = helper.make_node("LSTM", ["x", "W", "R"], ["y"], hidden_size=8)
    graph = helper.make_graph(
        [node],
        "lstm",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT16, ["time", "batch", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT16, ["time", 1, "batch", 8])],
        initializer=weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def test_a_half_precision_lstm_is_answered_or_told_and_never_our_end() -> None:
    """Some versions of ONNX Runtime die while loading one; 1.31.1 as built here does not."""
    with Runtime(limits=LIMITS) as runtime:
        try:
            session = runtime.session(half_precision_lstm().SerializeToString())
            answer = runtime.run(session, {"x": np.zeros((5, 2, 4), np.float16)})["y"]
        except SandboxError as error:
            assert "killed by SIG" in error.message
        else:
            assert (answer.dtype, answer.shape) == (np.float16, (5, 1, 2, 8))
        assert runtime.versions()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much a process has held")
def test_the_peak_memory_is_the_process_s_own() -> None:
    held = np.ones(50_000_000)  # 400 MB here, of which a new process is told at first
    with Runtime(limits=LIMITS) as started:
        session = started.session(graphs.linear().SerializeToString())
        feeds = {"x": np.zeros((1, 4), np.float32)}
        peak = started.time([session], feeds, blocks=1, least=1, size=1, seconds=0).peak_bytes
    assert peak is not None and 20_000_000 < peak < held.nbytes
