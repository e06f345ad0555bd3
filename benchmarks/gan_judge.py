"""What a classifier says to the digits that `dcgan` makes: how many it is sure of, how evenly they are spread, how near
their features lie to those of real ones.

    python benchmarks/gan_judge.py [--folder FOLDER] [--threads N]

Trains a `cnn` without label smoothing as the judge, then `dcgan` by its own recipe with the weights of the first epoch
kept, and writes gan_judge.json beside this file.  Both runs stay in FOLDER; a judge that is there is used again.
Sure means a probability of 0.9 or more.  The Fréchet distance is between the 128 features before the judge's head, of
10,000 made digits and of the 2,000 real test digits.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

import zoo
from zoo.api.callback import Callback, CheckpointEvent
from zoo.data.embedded import digits
from zoo.runs.run import Run

SAMPLES, CHUNK = 10_000, 250
SURE = 0.9
JUDGE = ("recipe.label_smoothing=0", "recipe.augment.rotate=10", "recipe.augment.scale=0.1", "recipe.warmup=0.2")
EPOCHS = 12


class FirstEpoch(Callback):
    """Keeps the weights that are saved after the first epoch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_checkpoint(self, event: CheckpointEvent) -> None:
        """The loop's own checkpoint, once more."""
        if event.epoch == 1 and not self.folder.exists():
            self.folder.mkdir(parents=True)
            event.fill(self.folder)


class Features(nn.Module):
    """The judge without its head."""

    num_features = 128

    def __init__(self, judge: nn.Module) -> None:
        super().__init__()
        self.judge = judge

    def forward(self, inputs: Tensor) -> Tensor:
        """float32 [n, 1, 28, 28] -> float32 [n, 128]."""
        features: Tensor = self.judge.get_submodule("neck")(self.judge.get_submodule("features")(inputs))
        return features


def load(run: Run, weights: Path | None = None) -> nn.Module:
    """A run's best model, or the same with other weights."""
    file = weights or run.checkpoint("best").checkpoint.model
    return zoo.create_model(run.config.model, problem=run.problem, weights=str(file)).eval()


@torch.no_grad()
def samples(generator: nn.Module, size: int) -> Tensor:
    """Made digits as whole levels, float32 [10000, 1, 28, 28]."""
    latents = torch.from_numpy(np.random.default_rng(0).standard_normal((SAMPLES, size), np.float32))
    made = torch.cat([generator(part) for part in torch.split(latents, CHUNK)])
    return ((made + 1) * 127.5).round().clamp(0, 255)


def normalised(levels: Tensor, run: Run) -> Tensor:
    """Levels as the judge takes them."""
    image = run.problem.image
    return (levels / 255 - image.mean[0]) / image.std[0]


@torch.no_grad()
def frechet(judge: nn.Module, real: Tensor, made: Tensor) -> float:
    """The distance on the judge's features."""
    distance = FrechetInceptionDistance(feature=Features(judge))
    for pictures, is_real in ((real, True), (made, False)):
        for part in torch.split(pictures, CHUNK):
            distance.update(part, real=is_real)
    return float(distance.compute())


@torch.no_grad()
def answers(judge: nn.Module, inputs: Tensor) -> Tensor:
    """Probabilities, float32 [n, 10]."""
    return torch.cat([judge(part) for part in torch.split(inputs, CHUNK)]).softmax(1)


def judged(folder: Path, threads: int) -> dict[str, object]:
    """Everything that gan_judge.json holds."""
    place = folder / "judge"
    judge_run = Run.open(place) if place.exists() else zoo.train("cnn", output=place, epochs=EPOCHS, settings=JUDGE)
    began, cpu = time.perf_counter(), time.process_time()
    run = zoo.train(
        "dcgan", output=folder / "dcgan", overwrite=True, threads=threads, callbacks=[FirstEpoch(folder / "first")]
    )
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    judge, size = load(judge_run), run.problem.latent_size
    data = digits.load()
    real = normalised(torch.from_numpy(data.test_images.copy()).float().unsqueeze(1), judge_run)
    said = answers(judge, real)
    right = float((said.argmax(1) == torch.from_numpy(data.test_labels.copy())).float().mean())
    sure_of_real = float((said.max(1).values >= SURE).float().mean())
    last = normalised(samples(load(run), size), judge_run)
    first = normalised(samples(load(run, folder / "first" / "model.safetensors"), size), judge_run)
    told = answers(judge, last)
    sure_of_made = float((told.max(1).values >= SURE).float().mean())
    shares = told.argmax(1).bincount(minlength=10) / SAMPLES
    distances = [frechet(judge, real, made) for made in (first, last)]
    return {
        "judge": {"model": "cnn", "top1": round(right, 4), "sure_of_real": round(sure_of_real, 4)},
        "sure_of_made": round(sure_of_made, 4),
        "ratio": round(sure_of_made / sure_of_real, 4),
        "share_of_each_digit": [round(share, 4) for share in shares.tolist()],
        "frechet": {"first_epoch": round(distances[0], 3), "best": round(distances[1], 3)},
        "frechet_falls": round(distances[0] / distances[1], 2),
        "training": {
            "epochs": run.record.epochs,
            "wall_seconds": round(wall, 1),
            "cpu_seconds": round(cpu, 1),
            "threads": threads,
            "load_average": round(os.getloadavg()[0], 1),
        },
        "torch": torch.__version__,
    }


def main() -> None:
    """Train, judge, print and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("runs/gan_judge"))
    parser.add_argument("--threads", type=int, default=2)
    wanted = parser.parse_args()
    found = judged(wanted.folder, wanted.threads)
    text = json.dumps(found, indent=2) + "\n"
    print(text)
    Path(__file__).with_suffix(".json").write_text(text)


if __name__ == "__main__":
    main()
