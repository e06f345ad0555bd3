"""What must not import torch does not: asked of sys.modules in a fresh process, not of a clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fresh import HEAVY, LISTING, imported
from zoo.cli import COMMANDS


@pytest.mark.parametrize("words", [("list",), ("--help",), ("plugins",), ("list", "--weights"), ("weights", "list")])
def test_listing_imports_nothing_heavy(words: tuple[str, ...], tmp_path: Path) -> None:
    assert imported(*words, cwd=tmp_path) & LISTING == set()


@pytest.mark.parametrize("words", [("list", "--json"), ("info", "cnn"), ("plugins", "--json"), ("runs",)])
def test_telling_imports_no_torch(words: tuple[str, ...], tmp_path: Path) -> None:
    assert imported(*words, cwd=tmp_path) & HEAVY == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_without_torch(name: str, tmp_path: Path) -> None:
    assert imported(name, "--help", cwd=tmp_path) & HEAVY == set()


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
