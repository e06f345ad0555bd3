"""A run that was killed and resumed ends as one that was not: the same files with the same contents."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.toy import ROOT


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_kills_change_nothing(tmp_path: Path, kills: int) -> None:
    paths = os.pathsep.join(str(path) for path in (ROOT, ROOT / "plugins", ROOT / "export"))
    command = [sys.executable, "-W", "ignore", "-m", "tests.training.kills", str(tmp_path), str(kills)]
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == {"kills": kills, "differences": []}
