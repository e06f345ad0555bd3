"""A command reads each name once: the catalogue, the target, the run and the weights are found and handed down."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from torch import nn

import zoo
from zoo.cli import main
from zoo.data.embedded import digits
from zoo.models.target import find_target
from zoo.models.weights.source import described_weights, find_source
from zoo.registry.catalog import Catalog
from zoo.runs.run import Run

pytestmark = pytest.mark.ci  # each command is a whole training, export or proof

TRAIN = "--limit-train 64 --max-steps 1 --threads 1 --workers 0 -o new"
CATALOGUE, TARGET, RUN = ({name: 1} for name in ("catalogue", "target", "run"))
BY_NAME, PUBLISHED = ({name: 1} for name in ("weights by name", "published weights"))


@pytest.fixture
def lookups(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Counter[str]]:
    """How often `zoo WORD...` looked up what."""
    counts: Counter[str] = Counter()

    def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*arguments: Any, **keywords: Any) -> Any:
            counts[name] += 1
            return function(*arguments, **keywords)

        return call

    monkeypatch.setattr(Catalog, "discover", counted("catalogue", Catalog.discover))
    monkeypatch.setattr(Run, "open", counted("run", Run.open))
    functions: dict[str, Callable[..., Any]] = {
        "target": find_target,
        "weights by name": find_source,
        "published weights": described_weights,
    }
    for name, function in functions.items():
        replaced = counted(name, function)
        for module in [
            module for module in sys.modules.values() if getattr(module, function.__name__, None) is function
        ]:
            monkeypatch.setattr(module, function.__name__, replaced)

    def run(*words: str) -> Counter[str]:
        counts.clear()
        assert main(words) == 0, words
        return counts

    return run


@pytest.fixture(scope="module")
def folder(digits_run: tuple[Path, nn.Module], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, a bundle of it, a bundle of random weights, and a picture."""
    folder = tmp_path_factory.mktemp("folder")
    shutil.copytree(digits_run[0], folder / "runs" / "cnn" / "a")
    Image.fromarray(digits.load().test_images[0]).save(folder / "7.png")
    zoo.export(folder / "runs" / "cnn" / "a", output=folder / "bundle", evaluate=0)
    zoo.export("cnn", untrained=True, output=folder / "random", evaluate=0)
    return folder


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (f"train cnn {TRAIN}", CATALOGUE),
        (f"train cnn@digits {TRAIN}", CATALOGUE | BY_NAME | PUBLISHED),
        (f"train cnn --weights runs/cnn/a {TRAIN}", CATALOGUE | BY_NAME | RUN),
        (f"train cnn {TRAIN} --dry-run", CATALOGUE),
        ("eval", CATALOGUE | TARGET | RUN),
        ("eval runs/cnn/a", CATALOGUE | TARGET | RUN),
        ("eval cnn@digits", CATALOGUE | TARGET | PUBLISHED),
        ("eval bundle", CATALOGUE | TARGET),
        ("predict runs/cnn/a 7.png", CATALOGUE | TARGET | RUN),
        ("predict cnn@digits 7.png", CATALOGUE | TARGET | PUBLISHED),
        ("predict bundle 7.png", CATALOGUE | TARGET),
        ("export --onnx --evaluate 0 -o new", CATALOGUE | TARGET | RUN),
        ("export cnn@digits --onnx --evaluate 0 -o new", CATALOGUE | TARGET | PUBLISHED),
        ("export cnn --untrained --onnx --evaluate 0 -o new", CATALOGUE | TARGET | PUBLISHED),
        ("verify bundle --against runs/cnn/a", CATALOGUE | TARGET | RUN),
        ("verify random --against cnn", CATALOGUE | PUBLISHED),
        ("verify bundle", CATALOGUE),
        ("info cnn", CATALOGUE),
        ("info cnn@digits", CATALOGUE),
        ("info runs/cnn/a", RUN),
    ],
)
def test_nothing_is_looked_up_twice(
    command: str,
    expected: dict[str, int],
    folder: Path,
    lookups: Callable[..., Counter[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    assert lookups(*command.split()) == expected
    if (folder / "new").exists():
        shutil.rmtree(folder / "new")


def test_a_resumed_training_discovers_the_catalogue_once(
    folder: Path, lookups: Callable[..., Counter[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert main(["train", "cnn", *TRAIN.split()]) == 0
    record = Run.open(Path("new"))
    record.update(replace(record.record, status="interrupted"))
    assert lookups("train", "--resume", "new")["catalogue"] == 1
    shutil.rmtree("new")
