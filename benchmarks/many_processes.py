"""Trainings of one, two and four processes, and of two hosts, beside one another: losses, metrics, weights.

PYTHONPATH=.:plugins:export python benchmarks/many_processes.py MODEL …

Two hosts are two network namespaces of this machine, joined by a pair of virtual cards; they need root and `ip`.
Each model's result goes into many_processes.json; many_processes.md is written of all.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from safetensors.numpy import load_file

OPTIONS: Final[Mapping[str, Sequence[str]]] = {
    "cnn": ("--limit-train", "1024", "--batch-size", "64"),
    "resnet8": ("--limit-train", "512", "--batch-size", "64"),
    "dcgan": ("--limit-train", "128", "--batch-size", "32"),
    "autoencoder": ("--limit-train", "512", "--batch-size", "64"),
    "gru_lm": ("--limit-train", "128", "--batch-size", "32"),
    "yolo_nano": ("--limit-train", "64", "--batch-size", "16", "--image-size", "64"),
    "fcn_tiny": ("--limit-train", "64", "--batch-size", "16"),
}
COMMON: Final = ("--epochs", "2", "--threads", "1", "--workers", "0", "--seed", "3")
FILE: Final = Path(__file__).with_suffix(".json")
HOSTS: Final = {"zoo-a": "10.77.0.1", "zoo-b": "10.77.0.2"}
PORT: Final = 29_511
TOLERANCE: Final = 1e-5
HEAD: Final = f"""# One process, two, four, and two hosts

Written by `benchmarks/many_processes.py`: two epochs with the model's own recipe (augmentation, dropout, batch normalisation), the
global batch and the seed alike. The numbers are the largest relative differences to one process: of the training losses of the two
epochs, and of the metric that is watched, on validation and test. Training losses are expected within {TOLERANCE}.

| model | processes | training loss | metric | largest difference of a weight |
|---|---|---|---|---|
"""


def train(model: str, run: Path, *, processes: int) -> None:
    """On one machine."""
    subprocess.run([*_zoo(model, run), "--devices", str(processes)], env=_environment(), check=True, stdout=sys.stderr)


def train_on_two_hosts(model: str, run: Path) -> None:
    """One process in each of two network namespaces, as a launcher would start them."""
    first = next(iter(HOSTS.values()))
    with _two_hosts():
        started = [
            subprocess.Popen(
                ["ip", "netns", "exec", host, *_zoo(model, run)],
                env=_environment(RANK=rank, WORLD_SIZE=2, MASTER_ADDR=first, MASTER_PORT=PORT),
                stdout=sys.stderr,
            )
            for rank, host in enumerate(HOSTS)
        ]
        if any([process.wait() for process in started]):
            raise SystemExit("a process failed")


@contextmanager
def _two_hosts() -> Iterator[None]:
    cards = {host: f"{host}0" for host in HOSTS}
    (first, second), both = HOSTS, [*HOSTS]
    try:
        for host in both:
            _ip("netns", "add", host)
        _ip("link", "add", cards[first], "netns", first, "type", "veth", "peer", "name", cards[second], "netns", second)
        for host, address in HOSTS.items():
            _ip("-n", host, "addr", "add", f"{address}/24", "dev", cards[host])
            for card in ("lo", cards[host]):
                _ip("-n", host, "link", "set", card, "up")
        yield
    finally:
        for host in both:
            subprocess.run(["ip", "netns", "del", host], check=False)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def _zoo(model: str, run: Path) -> list[str]:
    options = [*OPTIONS[model], *COMMON, "-o", str(run)]
    return [sys.executable, "-W", "ignore", "-m", "zoo", "train", model, *options]


def _environment(**more: str | int) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", **{name: str(value) for name, value in more.items()}}


def compare(one: Path, other: Path) -> dict[str, float]:
    """The largest differences of a run to that of one process."""
    records = [json.loads((run / "run.json").read_text()) for run in (one, other)]
    weights = [
        load_file(max((run / "checkpoints").glob("step-*/model.safetensors"), key=_step)) for run in (one, other)
    ]
    return {
        "loss": max(_apart(*pair) for pair in zip(_losses(one), _losses(other), strict=True)),
        "metric": max(
            _apart(value, records[1][part][name])
            for part in ("metrics", "test")
            for name, value in records[0][part].items()
        ),
        "weight": max(float(abs(value - weights[1][name]).max()) for name, value in weights[0].items() if value.size),
    }


def _step(file: Path) -> int:
    return int(file.parent.name.removeprefix("step-"))


def _losses(run: Path) -> list[float]:
    with (run / "metrics.csv").open(newline="") as lines:
        return [float(row["train/loss"]) for row in csv.DictReader(lines)]


def _apart(expected: float, actual: float) -> float:
    return abs(actual - expected) / max(abs(expected), 1e-12)


def measure(model: str) -> dict[str, dict[str, float]]:
    """The differences of every number of processes, by what they are called in the table."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        train(model, place / "1", processes=1)
        results = {}
        for processes in (2, 4):
            train(model, place / str(processes), processes=processes)
            results[str(processes)] = compare(place / "1", place / str(processes))
        if model == "cnn":
            train_on_two_hosts(model, place / "hosts")
            results["2 hosts"] = compare(place / "1", place / "hosts")
    return results


def write(results: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """The table of all results."""
    rows = [
        f"| {model} | {processes} | {row['loss']:.1e} | {row['metric']:.1e} | {row['weight']:.1e} |"
        for model, table in results.items()
        for processes, row in table.items()
    ]
    FILE.with_suffix(".md").write_text(HEAD + "\n".join(rows) + "\n")


if __name__ == "__main__":
    for name in sys.argv[1:] or OPTIONS:
        known = json.loads(FILE.read_text()) if FILE.is_file() else {}
        known[name] = measure(name)
        FILE.write_text(json.dumps(known, indent=2) + "\n")
        write(known)
        print(name, known[name], flush=True)
