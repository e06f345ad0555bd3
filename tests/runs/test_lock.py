"""Who trains a run holds its lock, and a dead process holds none."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.runs.test_run import make
from zoo.api.errors import UsageError
from zoo.runs.lock import NAME, holding, is_held
from zoo.runs.run import Run

HOLDING = """
import sys, time
from pathlib import Path
from zoo.runs.lock import holding

with holding(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_lock_is_held_inside_and_free_outside(tmp_path: Path) -> None:
    assert is_held(tmp_path) is None
    with holding(tmp_path):
        assert is_held(tmp_path) is True
        with pytest.raises(UsageError, match="is being trained by another process"), holding(tmp_path):
            pass
        assert is_held(tmp_path) is True
    assert is_held(tmp_path) is False


def test_a_run_of_a_killed_process_is_interrupted_whatever_host_it_names(tmp_path: Path) -> None:
    run = make(tmp_path, "a", status="running")
    assert run.record.host == "elsewhere" and run.status == "running"  # nothing can tell
    process = subprocess.Popen([sys.executable, "-c", HOLDING, run.path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    assert Run.open(run.path).status == "running"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert Run.open(run.path).status == "interrupted"


def test_a_number_that_another_process_has_now_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make(tmp_path, "a", status="running")
    monkeypatch.setattr("socket.gethostname", lambda: run.record.host)
    monkeypatch.setattr("zoo.runs.run._alive", lambda _: True)
    assert run.status == "running"
    (run.path / NAME).touch()  # and nobody holds it
    assert replace(run).status == "interrupted"
