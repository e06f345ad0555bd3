"""All 60,000 digits of MNIST from its original files: `zoo train resnet` beside a loop written by hand.

    python benchmarks/mnist_full.py ROOT [--epochs 2] [--rounds 1] > benchmarks/mnist_full.txt

ROOT/MNIST/raw holds the files, as torchvision downloads them.  Both are whole commands on one thread, in alternating
turns: the same network, the same 90 % of the digits, batches, optimiser, learning rates, shifts and growing pictures,
the rest validated after every epoch, the test digits once.  The loop keeps nothing: no checkpoint, table or report.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def train_by_hand(root: Path, epochs: int) -> None:
    """What a person would write for this one task."""
    import torch  # noqa: PLC0415  the parent needs none of it
    from torch.nn import functional as F  # noqa: PLC0415

    from zoo_resnet.model import resnet8  # noqa: PLC0415

    def digits(part: str) -> tuple[torch.Tensor, torch.Tensor]:
        folder = root / "MNIST" / "raw"
        images = np.fromfile(folder / f"{part}-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 1, 28, 28)
        labels = np.fromfile(folder / f"{part}-labels-idx1-ubyte", np.uint8)[8:]
        return torch.from_numpy(images), torch.from_numpy(labels).long()

    def ready(images: torch.Tensor, side: int) -> torch.Tensor:
        levels = images.float().sub_(0.1307 * 255).div_(0.3081 * 255)
        if side != 28:
            levels = F.interpolate(levels, (side, side), mode="bilinear", antialias=True)
        return levels.contiguous(memory_format=torch.channels_last)

    def shifted(images: torch.Tensor) -> torch.Tensor:
        moves = torch.randint(-2, 3, (2, len(images), 1))
        rows, columns = ((torch.arange(28) + move).clamp_(0, 27) for move in moves)
        places = (rows[:, :, None] * 28 + columns[:, None, :]).view(len(images), 1, 784)
        return images.view(len(images), 1, 784).gather(2, places).view_as(images)

    @torch.no_grad()
    def accuracy(images: torch.Tensor, labels: torch.Tensor) -> float:
        model.eval()
        parts = zip(images.split(250), labels.split(250), strict=True)  # type: ignore[no-untyped-call]
        right = sum(int((model(ready(part, 28)).argmax(1) == label).sum()) for part, label in parts)
        model.train()
        return right / len(labels)

    torch.manual_seed(0)
    images, labels = digits("train")
    order = torch.randperm(len(images))
    learnt, held_out = order[6_000:], order[:6_000]
    model = resnet8(channels=1, num_classes=10).to(memory_format=torch.channels_last)
    decays = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    groups = [{"params": decays, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=2e-2, betas=(0.9, 0.95), fused=True)
    steps, step = epochs * (len(learnt) // 64), 0
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-2, total_steps=steps, pct_start=0.25)
    for _ in range(epochs):
        for batch in learnt[torch.randperm(len(learnt))][: len(learnt) // 64 * 64].split(64):  # type: ignore[no-untyped-call]
            share = min(step / steps / 0.75, 1.0)
            side = min(28, 4 * round(28 * (0.5 + 0.5 * share**2) / 4))
            loss = F.cross_entropy(model(ready(shifted(images[batch]), side)), labels[batch])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            step += 1
        accuracy(images[held_out], labels[held_out])
    print(json.dumps(accuracy(*digits("t10k"))))


def measure(command: list[str], environment: dict[str, str]) -> tuple[float, float, object]:
    """CPU seconds, seconds and what was printed."""
    start = time.perf_counter()
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert child.stdout
    printed = json.loads(child.stdout.read())
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed: {printed}")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - start, printed


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--by-hand", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.by_hand:
        train_by_hand(options.root, options.epochs)
        return
    cpu: dict[str, list[float]] = {"zoo": [], "by hand": []}
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "ZOO_STATE": folder, "ZOO_CACHE": folder}
            zoo = [sys.executable, "-m", "zoo", "train", "resnet", "--data", "torchvision:MNIST", "--json"]
            zoo += ["--data-root", str(options.root), "--epochs", str(options.epochs), "-o", f"{folder}/run"]
            hand = [sys.executable, __file__, str(options.root), "--epochs", str(options.epochs), "--by-hand"]
            for name, command in (("zoo", zoo), ("by hand", hand)):
                seconds, wall, printed = measure(command, environment)
                top1 = printed["metrics"]["test/top1"] if isinstance(printed, dict) else printed
                cpu[name].append(seconds)
                print(f"{name:8} test top-1 {top1:.2%}, {seconds:.1f} CPU s, {wall:.0f} s on the clock", flush=True)
    ratio = statistics.median(cpu["zoo"]) / statistics.median(cpu["by hand"])
    print(f"\n{options.epochs} epochs, one thread: zoo takes {ratio:.2f} x the CPU time of the loop by hand")


if __name__ == "__main__":
    main()
