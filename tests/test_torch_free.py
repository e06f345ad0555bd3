"""What must not import torch does not: asked of sys.modules in a fresh process, not of a clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fresh import HEAVY, LISTING, imported, imported_modules
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


NOT_NEEDED = {
    *("torch._dynamo", "torch._inductor", "sympy", "triton", "torchvision", "torchmetrics", "lightning_fabric"),
    *("scipy", "transformers", "pandas", "onnx", "onnxruntime", "onnxscript", "tensorboard", "matplotlib"),
}
"""What measuring and predicting load nothing of, whatever is installed."""
SEVEN = str(Path(__file__).parents[1] / "docs" / "pictures" / "seven.png")


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "cnn@digits", SEVEN),
        ("eval", "cnn@digits"),
        ("eval", "conv_autoencoder@digits", "--split", "validation"),
        ("eval", "facenet_tiny@digits", "--split", "validation"),
        ("eval", "gru_lm@names", "--split", "validation"),
    ],
)
def test_measuring_and_predicting_import_no_library_that_they_do_not_need(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    assert imported_modules(*words, cwd=tmp_path) & NOT_NEEDED == set()


def test_a_short_training_imports_besides_only_what_writes_its_numbers_and_pictures(tmp_path: Path) -> None:
    modules = imported_modules("train", "cnn", "--max-steps", "2", "--threads", "1", cwd=tmp_path)
    assert modules & NOT_NEEDED == {"tensorboard", "matplotlib"}


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
