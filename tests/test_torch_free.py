"""What must not import torch does not: asked of sys.modules in a fresh process, not of a clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "torchvision", "lightning_fabric", "torchmetrics"}
LISTING = HEAVY | {"onnx", "onnxruntime", "numpy", "rich", "cattrs", "PIL", "matplotlib"}
ASK = """
import json, sys
from zoo.cli import main
code = main(json.loads(sys.argv[1]))
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


def imported(*words: str, cwd: Path) -> set[str]:
    """The top-level packages that a successful `zoo WORD…` imported, its output piped."""
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
    code, packages = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    return set(packages)


@pytest.mark.parametrize("words", [("list",), ("--help",), ("plugins",), ("list", "--weights")])
def test_listing_imports_nothing_heavy(words: tuple[str, ...], tmp_path: Path) -> None:
    assert imported(*words, cwd=tmp_path) & LISTING == set()


@pytest.mark.parametrize("words", [("list", "--json"), ("info", "zoo"), ("plugins", "--json")])
def test_telling_imports_no_torch(words: tuple[str, ...], tmp_path: Path) -> None:
    assert imported(*words, cwd=tmp_path) & HEAVY == set()


def test_importing_zoo_imports_nothing() -> None:
    ask = "import sys; before = set(sys.modules); import zoo; print(sorted(set(sys.modules) - before))"
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-c", ask],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    new = set(json.loads(done.stdout.replace("'", '"')))
    assert "zoo" in new
    assert {name.partition(".")[0] for name in new} & (LISTING | {"click", "pluggy"}) == set()
    assert [name for name in new if name.startswith("zoo.")] == []
