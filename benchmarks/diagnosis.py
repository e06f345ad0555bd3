"""Does zoo warn of trainings that went wrong, and of no others?

Sound trainings of every kind of trainer, and trainings that were made faulty on purpose; each is small, and runs with
`zoo train`.  What was found is printed with what should have been.

    PYTHONPATH=.:plugins:export python benchmarks/diagnosis.py > benchmarks/diagnosis.txt
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from zoo.cli import main
from zoo.data.embedded import digits
from zoo.training.advice.diagnosis import COLUMNS

SOUND: Sequence[str] = (
    "cnn --limit-train 1000 --epochs 2",
    "convnet --limit-train 2000 --epochs 2",
    "resnet8 --limit-train 1500 --epochs 3",
    "gru --limit-train 4000 --epochs 2",
    "transformer --limit-train 4000 --epochs 2",
    "gru_lm --limit-train 2000 --epochs 2",
    "autoencoder --limit-train 1000 --epochs 2",
    "vae --limit-train 1000 --epochs 2",
    "yolo_nano --epochs 3",
    "ssd_tiny --epochs 3",
    "fcn_tiny --limit-train 400 --epochs 3",
    "facenet_tiny --limit-train 1000 --epochs 2",
    "dcgan --limit-train 1000 --epochs 2",
    "wavenet_tiny --limit-train 200 --epochs 2",
    "sentence_bert --limit-train 2000 --epochs 2",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    """A training with a fault."""

    fault: str
    command: str
    """DATA stands for the folder."""
    data: Callable[[Path], None] | None = None
    expected: frozenset[str] = frozenset()
    """Any of these is right."""


def digit_folders(folder: Path, *, count: int, label: Callable[[int, int], str]) -> None:
    """Pictures of digits, each in the folder of the class that `label` gives for its index and digit."""
    pack = digits.load()
    for index in range(count):
        path = folder / label(index, int(pack.train_labels[index]))
        path.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pack.train_images[index]).save(path / f"{index}.png")


def shuffled(folder: Path) -> None:
    """The labels have nothing to do with the pictures."""
    rng = random.Random(0)
    digit_folders(folder, count=600, label=lambda *_: f"class {rng.randrange(5)}x")


def constant(folder: Path) -> None:
    """Every picture is the same grey, but for one pixel that tells them apart."""
    for index in range(300):
        path = folder / f"kind{index % 3}x"
        path.mkdir(parents=True, exist_ok=True)
        pixels = np.full((28, 28), 128, np.uint8)
        pixels[index // 28 % 28, index % 28] = 127
        Image.fromarray(pixels).save(path / f"{index}.png")


def rare(folder: Path) -> None:
    """Nine of ten are of one class, and nothing tells which."""
    rng = random.Random(0)
    digit_folders(folder, count=600, label=lambda *_: "odd one" if rng.random() < 0.1 else "usual")


def texts(folder: Path) -> None:
    """Texts whose labels are drawn."""
    rng, words = random.Random(0), ("red", "green", "blue", "warm", "cold")
    folder.mkdir()
    with (folder / "texts.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("text", "label"))
        rows.writerows((" ".join(rng.choices(words, k=6)), rng.choice("ab")) for _ in range(600))


def unmarked(folder: Path) -> None:
    """Nine of ten pixels are background, and the rest lies anywhere."""
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for index in range(60):
        Image.fromarray(rng.integers(0, 255, (48, 48, 3), dtype=np.uint8)).save(folder / "images" / f"{index}.png")
        mask = np.zeros((48, 48), np.uint8)
        y, x = rng.integers(0, 33, 2)
        mask[y : y + 15, x : x + 15] = 1
        Image.fromarray(mask).save(folder / "masks" / f"{index}.png")


def boxes(folder: Path) -> None:
    """Boxes that surround nothing."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    (folder / "data.yaml").write_text("train: images\nval: images\nnc: 1\nnames: [thing]\n")
    for index in range(24):
        Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(folder / "images" / f"{index}.png")
        x, y = rng.uniform(0.3, 0.7, 2)
        (folder / "labels" / f"{index}.txt").write_text(f"0 {x:.3f} {y:.3f} 0.4 0.4\n")


QUIET = "--set recipe.augment.shift=0"
FAULTY = (
    Faulty(
        fault="rate x 1000",
        command="cnn --limit-train 2000 --epochs 2 --lr 10",
        expected=frozenset({"diverged", "stuck", "one-answer", "no-better"}),
    ),
    Faulty(
        fault="rate x 1000, batch normalisation",
        command="resnet8 --limit-train 2000 --epochs 2 --lr 20",
        expected=frozenset({"diverged", "stuck", "one-answer", "no-better", "contradiction"}),
    ),
    Faulty(
        fault="rate x 1000, texts",
        command="gru --limit-train 2000 --epochs 2 --lr 5",
        expected=frozenset({"diverged", "stuck", "one-answer", "no-better"}),
    ),
    Faulty(
        fault="rate / 1e6",
        command="cnn --limit-train 1000 --epochs 2 --lr 1e-9",
        expected=frozenset({"stuck", "one-answer"}),
    ),
    Faulty(
        fault="shuffled labels, few epochs",
        command=f"cnn --data DATA --epochs 3 {QUIET}",
        data=shuffled,
        expected=frozenset({"stuck", "no-better", "contradiction", "one-answer"}),
    ),
    Faulty(
        fault="shuffled labels, learnt by heart",
        command=f"cnn --data DATA --epochs 30 {QUIET}",
        data=shuffled,
        expected=frozenset({"contradiction"}),
    ),
    Faulty(
        fault="shuffled labels, texts",
        command="gru --data DATA --epochs 4",
        data=texts,
        expected=frozenset({"stuck", "no-better", "contradiction", "one-answer"}),
    ),
    Faulty(
        fault="constant pictures",
        command="cnn --data DATA --epochs 4",
        data=constant,
        expected=frozenset({"stuck", "no-better", "one-answer"}),
    ),
    Faulty(
        fault="one class swallows the rest",
        command="resnet8 --data DATA --epochs 3",
        data=rare,
        expected=frozenset({"one-answer"}),
    ),
    Faulty(
        fault="background swallows the rest",
        command="fcn_tiny --data DATA --epochs 4",
        data=unmarked,
        expected=frozenset({"one-answer"}),
    ),
    Faulty(
        fault="boxes around nothing",
        command="yolo_nano --data DATA --epochs 12",
        data=boxes,
        expected=frozenset({"contradiction", "no-better", "stuck"}),
    ),
    Faulty(
        fault="dead units",
        command="convnet --limit-train 2000 --epochs 2 --lr 3 --set recipe.optimizer=sgd",
        expected=frozenset({"stuck", "one-answer", "no-better", "diverged"}),
    ),
)


def found(words: Sequence[str], folder: Path) -> tuple[list[str], str]:
    """The kinds of findings of a training, and its last numbers."""
    out, err = io.StringIO(), io.StringIO()
    run = folder / "run"
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["train", *words, "-o", str(run), "--overwrite", "--threads", "1", "--workers", "0", "--json"])
    if code:
        message = err.getvalue().strip().splitlines()[-1]
        return ["diverged" if "diverged" in out.getvalue() + message else "error"], message
    document = json.loads(out.getvalue())
    with (run / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    shown = ("train/loss", "validation/loss", *COLUMNS["items"], *COLUMNS["pixels"])
    first, last = rows[0], rows[-1]
    numbers = [f"{name} {float(first[name]):.4g} → {float(last[name]):.4g}" for name in shown if name in last]
    metrics = [f"{name} {value:.3g}" for name, value in document["metrics"].items() if "/" not in name]
    return [finding["kind"] for finding in document["findings"]], ", ".join([*numbers, *metrics[:1]])


def report(title: str, kinds: list[str], expected: frozenset[str], numbers: str) -> bool:
    """Print a row; whether it is as it should be."""
    right = bool(expected & set(kinds)) if expected else not kinds
    print(f"{'right' if right else 'WRONG'}  {title}: {', '.join(kinds) or 'nothing'}  ({numbers})", flush=True)
    return right


def run_all(pattern: str) -> int:
    """Every training whose title contains the pattern."""
    with tempfile.TemporaryDirectory() as folder:
        right = [
            report(f"sound: {command}", *_row(command.split(), Path(folder), frozenset()))
            for command in SOUND
            if pattern in f"sound: {command}"
        ]
        for index, case in enumerate(case for case in FAULTY if pattern in f"faulty: {case.fault}"):
            data = Path(folder) / f"data{index}"
            if case.data:
                case.data(data)
            words = [str(data) if word == "DATA" else word for word in case.command.split()]
            right.append(report(f"faulty: {case.fault}", *_row(words, Path(folder), case.expected)))
    print(f"{sum(right)} of {len(right)} are right")
    return 0 if all(right) else 1


def _row(words: Sequence[str], folder: Path, expected: frozenset[str]) -> tuple[list[str], frozenset[str], str]:
    kinds, numbers = found(words, folder)
    return kinds, expected, numbers


if __name__ == "__main__":
    sys.exit(run_all(sys.argv[1] if len(sys.argv) > 1 else ""))
