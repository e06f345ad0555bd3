"""Scripts for tests that two or more processes of this machine run together."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SECONDS = 120


def environment(**more: str) -> dict[str, str]:
    """One thread each, and nothing that a launcher has said."""
    paths = os.pathsep.join(str(path) for path in (ROOT, ROOT / "plugins", ROOT / "export"))
    launcher = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    kept = {name: value for name, value in os.environ.items() if name not in launcher}
    return {**kept, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", **more}


def run_script(folder: Path, script: str, **more: str) -> str:
    """What a script prints that calls `launch(devices=...)`, which starts the other processes."""
    file = folder / "script.py"
    file.write_text(script)
    command = [sys.executable, "-W", "ignore", str(file), str(folder)]
    done = subprocess.run(
        command, env=environment(**more), cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def run_toy(place: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A toy trained, or trained on, in a process of its own, and in as many as TOY_DEVICES says."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.training.toy", str(place), *words]
    return subprocess.run(
        command, cwd=ROOT, env=environment(**more), capture_output=True, text=True, check=False, timeout=SECONDS
    )


def free_port() -> int:
    """A port of this machine that nobody uses now; above 15,000 and below 25,000, as SLURM jobs have them."""
    for port in range(15_000 + os.getpid() % 9_000, 25_000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
