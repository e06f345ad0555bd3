"""Large outputs lie in files without a name, and are what they were when they are read."""

from __future__ import annotations

import errno
import gc
import resource
import tempfile
from pathlib import Path
from unittest.mock import Mock

import ml_dtypes
import numpy as np
import pytest

from zoo_export.subject import large_outputs
from zoo_export.subject.large_outputs import LARGE, kept_small


def test_small_outputs_stay_as_they_are() -> None:
    outputs = {"logits": np.zeros(LARGE // 8 - 1)}
    assert kept_small(outputs) is outputs


def test_large_outputs_are_read_again_to_the_bit() -> None:
    logits = np.random.default_rng(0).normal(size=(3, LARGE // 8 // 3 + 1))
    logits[0, :3] = np.nan, np.inf, -0.0
    outputs = kept_small({"logits": logits, "index": np.array(7)})
    assert list(outputs) == ["logits", "index"] and len(outputs) == 2
    assert outputs["logits"] is not logits
    assert outputs["logits"].tobytes() == logits.tobytes()
    assert (outputs["logits"].dtype, outputs["logits"].shape) == (logits.dtype, logits.shape)
    assert outputs["index"] == 7
    assert kept_small(outputs) is outputs


@pytest.mark.parametrize(
    "value",
    [
        np.zeros((0, 4), np.float32),
        np.array(2.5),
        np.array([True, False]),
        np.arange(12, dtype=np.int64).reshape(3, 4)[:, ::2],
        np.array([1.5, -2.0], ml_dtypes.bfloat16),
        np.array([1.5, -2.0], np.float16),
    ],
    ids=["empty", "number", "bool", "view", "bfloat16", "float16"],
)
def test_every_dtype_and_shape_comes_back(value: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_outputs, "LARGE", 0)
    read = kept_small({"value": value})["value"]
    assert (read.dtype, read.shape, read.tobytes()) == (value.dtype, value.shape, value.tobytes())


def test_an_array_that_somebody_holds_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_outputs, "LARGE", 0)
    outputs = kept_small({"value": np.arange(3)})
    held = outputs["value"]
    assert outputs["value"] is held and not held.flags.writeable
    read = Mock(wraps=np.fromfile)
    monkeypatch.setattr(np, "fromfile", read)
    assert outputs["value"] is held
    read.assert_not_called()
    del held
    gc.collect()
    assert outputs["value"].tolist() == [0, 1, 2]
    read.assert_called_once()


def test_what_the_system_refuses_keeps_its_reason() -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGE // 2, limits[1]))
    try:
        with pytest.raises(OSError) as caught:
            kept_small({"logits": np.zeros(LARGE // 8)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno == errno.EFBIG


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system does not list open files")
def test_hundreds_of_outputs_take_one_open_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_outputs, "LARGE", 0)
    before = len(list(Path("/proc/self/fd").iterdir()))
    kept = [kept_small({"value": np.full(5, number)}) for number in range(300)]
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
    assert [int(outputs["value"][0]) for outputs in kept] == list(range(300))
    del kept
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_the_place_of_a_dropped_output_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_outputs, "LARGE", 0)
    file = large_outputs._SharedFile()
    monkeypatch.setattr(large_outputs, "_FILE", file)
    held = kept_small({"value": np.arange(4)})
    for number in range(9):
        assert kept_small({"value": np.full(4, number)})["value"].tolist() == [number] * 4
        gc.collect()
    assert file._end == 2 * np.arange(4).nbytes
    assert held["value"].tolist() == [0, 1, 2, 3]


def test_nothing_stays_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(large_outputs, "LARGE", 0)
    outputs = kept_small({"value": np.arange(3)})
    assert list(tmp_path.iterdir()) == []
    assert outputs["value"].tolist() == [0, 1, 2]
