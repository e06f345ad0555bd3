"""Neither the worker nor a bundle's run.py reaches for the network, nor do they leave anything in TMPDIR.

`no_network` kills whoever asks the system for a socket; the worker's own filter refuses, and the worker lives on.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests import no_network
from tests.bundle.conftest import MakeBundle
from tests.bundle.runtime import graphs
from zoo.api.errors import SandboxError
from zoo.bundle.sandbox import process
from zoo.bundle.sandbox.runtime import Runtime

QUERY_COMES = 14.0
"""Seconds: without the opt-out ONNX Runtime 1.31 asks for its telemetry host 9 seconds after it was loaded."""
WATCHED = """
import runpy, sys
sys.path.insert(0, {folder!r})
from no_network import forbid_network
forbid_network()
{before}
runpy.run_path({worker!r}, run_name="__main__")
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TMPDIR, empty."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def watch_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, before: str = "") -> None:
    """Start the sandbox's worker under the watch, after these lines of Python."""
    script, folder = tmp_path / "watched.py", Path(no_network.__file__).parent
    script.write_text(WATCHED.format(folder=str(folder), worker=str(process.WORKER), before=before))
    monkeypatch.setattr(process, "WORKER", script)


@pytest.mark.ci
def test_the_worker_asks_nobody_and_leaves_nothing(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch_the_worker(tmp_path, monkeypatch)
    with Runtime() as runtime:
        session = runtime.session(graphs.linear().SerializeToString())
        feeds = {"x": np.zeros((1, 4), np.float32)}
        runtime.run(session, feeds)
        time.sleep(QUERY_COMES)
        assert runtime.run(session, feeds)["y"].shape == (1, 2)
    assert list(temporary.iterdir()) == []


@pytest.mark.ci
def test_a_bundles_runner_asks_nobody_and_leaves_nothing(
    make_bundle: MakeBundle, tmp_path: Path, temporary: Path
) -> None:
    bundle = make_bundle()
    script = tmp_path / "wait.py"
    script.write_text(
        f"import sys, time\nfrom pathlib import Path\nsys.dont_write_bytecode = True\n"
        f"sys.path.insert(0, {str(bundle)!r})\nimport run\n"
        f"run.main(['--self-test'])\ntime.sleep({QUERY_COMES})\n"
    )
    subprocess.run([sys.executable, no_network.__file__, str(script)], check=True, timeout=60)
    assert list(temporary.iterdir()) == []


def test_the_watch_sees_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "curious.py"
    script.write_text("import socket\nsocket.socket(socket.AF_UNIX).close()\nsocket.socket(socket.AF_INET)\n")
    done = subprocess.run([sys.executable, no_network.__file__, str(script)], check=False, timeout=60)
    assert done.returncode == -signal.SIGSYS
    watch_the_worker(tmp_path, monkeypatch, before="import socket; socket.socket()")
    with pytest.raises(SandboxError), Runtime() as runtime:
        runtime.versions()
