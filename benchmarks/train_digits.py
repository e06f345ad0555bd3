"""What `zoo train MODEL` reaches on the embedded digits: accuracy of seeds 0 to 4, time, CPU time and memory.

    python benchmarks/train_digits.py resnet18 cnn > benchmarks/train_digits.md

Each training is the whole command in a process of its own, interpreter start, imports, check, test and report included.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One training."""

    seed: int
    accuracy: float
    wall: float
    cpu: float
    """Seconds, user and system."""
    memory: float
    """Largest resident size, MiB."""
    threads: int


def measure(model: str, seed: int, extra: list[str]) -> Measured:
    """Train once, in a directory that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [sys.executable, "-m", "zoo", "train", model, "--seed", str(seed), "-o", str(run), "--json", *extra]
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert child.stdout
        document = json.loads(child.stdout.read())
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        if status:
            raise SystemExit(f"{' '.join(command)} failed: {document}")
        threads = json.loads((run / "config.json").read_bytes())["threads"]
    return Measured(
        seed=seed,
        accuracy=document["metrics"]["test/top1"],
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        memory=usage.ru_maxrss / (1024 if platform.system() == "Linux" else 2**20),
        threads=threads,
    )


def table(model: str, runs: list[Measured]) -> str:
    """The trainings of one model, and what they come to, in Markdown."""
    lines = [
        f"## {model}",
        "",
        "| seed | test top-1 | wall s | CPU s | peak MiB | threads |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.seed} | {one.accuracy:.2%} | {one.wall:.1f} | {one.cpu:.1f} | {one.memory:.0f} | {one.threads} |"
        for one in runs
    ]
    accuracies = [one.accuracy for one in runs]
    lines += [
        "",
        f"mean {mean(accuracies):.2%}, lowest {min(accuracies):.2%}; "
        f"median wall {median(one.wall for one in runs):.1f} s, CPU {median(one.cpu for one in runs):.1f} s; "
        f"peak {max(one.memory for one in runs):.0f} MiB",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure the models that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--seeds", type=int, default=5)
    known, extra = parser.parse_known_args()
    print(f"# Training on the embedded digits\n\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    if extra:
        print(f"\nwith {' '.join(extra)}")
    for model in known.models:
        runs = [measure(model, seed, extra) for seed in range(known.seeds)]
        print(f"\n{table(model, runs)}", flush=True)


if __name__ == "__main__":
    main()
