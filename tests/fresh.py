"""Commands in a fresh process, to see what they import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

HEAVY = {"torch", "torchvision", "lightning_fabric", "torchmetrics"}
LISTING = HEAVY | {"onnx", "onnxruntime", "numpy", "rich", "cattrs", "PIL", "matplotlib"}
ASK = """
import json, sys
from zoo.cli import main
code = main(json.loads(sys.argv[1]))
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


def imported(*words: str, cwd: Path) -> set[str]:
    """The top-level packages that a successful `zoo WORD…` imported, its output piped."""
    return {name.partition(".")[0] for name in imported_modules(*words, cwd=cwd)}


def imported_modules(*words: str, cwd: Path) -> set[str]:
    """All modules that a successful `zoo WORD…` imported, its output piped."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZOO_")}
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(words)],
        cwd=cwd,
        env=environment | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    return set(modules)
