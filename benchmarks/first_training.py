"""How soon does a first training on a folder work, with nothing but `--data`?

336 photographs in six classes (squares cut from scikit-image's), 5,000 digits of 28 px as PNG, and 60 pictures with
masks; each is trained with the defaults, and the CPU seconds are printed up to the first epoch that reaches a level.

    PYTHONPATH=.:plugins:export python benchmarks/first_training.py > benchmarks/first_training.txt
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

import zoo
from benchmarks.six_trees import masks
from zoo.api.callback import Callback, EpochResult
from zoo.data.embedded import digits

PHOTOS = ("astronaut", "chelsea", "coffee", "immunohistochemistry", "retina", "rocket")
EACH = 56


def photographs(folder: Path) -> None:
    """336 squares of 120 px to three quarters of the shorter side, as JPEG."""
    rng = np.random.default_rng(0)
    for name in PHOTOS:
        pixels = getattr(data, name)()[..., :3]
        height, width = pixels.shape[:2]
        (folder / name).mkdir(parents=True)
        for index in range(EACH):
            side = int(rng.integers(120, min(height, width) * 3 // 4 + 1))
            y, x = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
            Image.fromarray(pixels[y : y + side, x : x + side]).save(folder / name / f"{index:03}.jpg", quality=90)


def digit_pictures(folder: Path) -> None:
    """5,000 digits of 28 px as PNG."""
    pack = digits.load()
    for index in range(5_000):
        path = folder / str(pack.train_labels[index])
        path.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pack.train_images[index]).save(path / f"{index:05}.png")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A training, and the level that it should reach."""

    model: str
    make: Callable[[Path], None]
    metric: str
    level: float


QUESTIONS = (
    Question(model="mobilenet_v3_small", make=photographs, metric="top1", level=0.9),
    Question(model="cnn", make=photographs, metric="top1", level=0.9),
    Question(model="resnet", make=digit_pictures, metric="top1", level=0.98),
    Question(model="fcn_tiny", make=masks, metric="miou", level=0.9),
)


class Clock(Callback):
    """The CPU seconds at the end of every epoch."""

    def __init__(self) -> None:
        self.start = time.process_time()
        self.rows: list[tuple[float, dict[str, float]]] = []

    def on_epoch_end(self, result: EpochResult) -> None:
        """Note the time and the metrics."""
        self.rows.append((time.process_time() - self.start, dict(result.metrics)))


def answer(question: Question, folder: Path) -> str:
    """What a training gave, in a line."""
    source = folder / question.make.__name__
    if not source.exists():
        question.make(source)
    clock = Clock()
    run = zoo.train(
        question.model, data=source, output=folder / question.model, overwrite=True, threads=1, callbacks=[clock]
    )
    reached = [(index, seconds) for index, (seconds, metrics) in enumerate(clock.rows, 1) if _enough(metrics, question)]
    first = f"epoch {reached[0][0]}, {reached[0][1]:.0f} CPU s" if reached else "never"
    best = run.record.metrics[question.metric]
    chosen = ", ".join(f"{choice.name} {choice.value}" for choice in run.config.choices)
    return (
        f"{run.config.model} on {question.make.__name__}: {question.metric} {question.level:g} in {first}; "
        f"{best:.4f} after {len(clock.rows)} epochs and {clock.rows[-1][0]:.0f} CPU s\n    ({chosen})"
    )


def _enough(metrics: dict[str, float], question: Question) -> bool:
    return metrics[question.metric] >= question.level


def run(models: Sequence[str]) -> None:
    """Answer every question, or those about some models."""
    with tempfile.TemporaryDirectory() as folder:
        for question in QUESTIONS:
            if not models or question.model in models:
                print(answer(question, Path(folder)), flush=True)


if __name__ == "__main__":
    run(sys.argv[1:])
