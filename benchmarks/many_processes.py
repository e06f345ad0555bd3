"""Trainings of one, two and four processes, and of two hosts, beside one another: losses, metrics, weights.

PYTHONPATH=.:plugins:export python benchmarks/many_processes.py MODEL …
PYTHONPATH=.:plugins:export python benchmarks/many_processes.py --double resnet8

With --double everything computes in float64: what differs then is no rounding of float32.
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
from typing import Any, Final

from safetensors.numpy import load_file

NO_MOSAIC: Final = ("--set", "recipe.options.mosaic=0")
"""A mosaic is put together of the pictures that a process has."""
OPTIONS: Final[Mapping[str, Sequence[str]]] = {
    "cnn": ("--limit-train", "1024", "--batch-size", "64"),
    "resnet8": ("--limit-train", "512", "--batch-size", "64"),
    "dcgan": ("--limit-train", "128", "--batch-size", "32"),
    "autoencoder": ("--limit-train", "512", "--batch-size", "64"),
    "gru_lm": ("--limit-train", "128", "--batch-size", "32"),
    "yolo_nano": ("--limit-train", "64", "--batch-size", "16", "--image-size", "64", *NO_MOSAIC),
    "ssd_tiny": ("--limit-train", "64", "--batch-size", "16"),
    "fcn_tiny": ("--limit-train", "64", "--batch-size", "16"),
    "facenet_tiny": ("--limit-train", "256", "--batch-size", "64"),
}
COMMON: Final = ("--epochs", "2", "--threads", "1", "--workers", "0", "--seed", "3")
FILE: Final = Path(__file__).with_suffix(".json")
HOSTS: Final = {"zoo-a": "10.77.0.1", "zoo-b": "10.77.0.2"}
PORT: Final = 29_511
DOUBLE: Final = ", float64"
"""Of what computes in double precision, behind the model's name in the table."""
HEAD: Final = """# One process, two, four, and two hosts

Written by `benchmarks/many_processes.py`: two epochs with the model's own recipe (augmentation, dropout, batch
normalisation), the global batch and the seed alike. The numbers are the largest differences to one process: relative
ones of the training losses of both epochs and of the metrics on validation and test, and that of any weight.
What differs is rounding: `cnn` stays within 2e-5; where a training amplifies rounding (ReLUs at 0, the first steps of
Adam at a high rate), as that of `resnet8` does, the losses part after some steps. The rows of float64 compute the same
in double precision: what would be left there is no rounding. docs/many-machines.md says more.

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
        codes = [process.wait() for process in started]
        if any(codes):
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
    name = model.removesuffix(DOUBLE)
    program = ["-m", "zoo"] if name == model else [__file__, "--child"]
    return [sys.executable, "-W", "ignore", *program, "train", name, *OPTIONS[name], *COMMON, "-o", str(run)]


def _environment(**more: str | int) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", **{name: str(value) for name, value in more.items()}}


def in_double(words: Sequence[str]) -> None:
    """The command `zoo` with modules and pictures in float64, which no loss makes float32 of."""
    import torch  # noqa: PLC0415  in the process that trains
    from torch import Tensor  # noqa: PLC0415

    from zoo.cli import main  # noqa: PLC0415  in the process that trains
    from zoo.data.image.dataset import PictureDataset  # noqa: PLC0415
    from zoo.training.launch import build, rehearsal  # noqa: PLC0415

    make, ready, to_float = rehearsal.make_modules, PictureDataset.ready, Tensor.float

    def make_double(*given: Any) -> Any:
        return {name: module.double() for name, module in make(*given).items()}

    def ready_double(self: PictureDataset, batch: Any) -> Any:
        return {**(done := ready(self, batch)), "input": done["input"].double()}

    def at_least_float(self: Tensor) -> Tensor:
        return self if self.dtype is torch.float64 else to_float(self)

    Tensor.float = at_least_float  # type: ignore[assignment,method-assign]
    vars(build)["make_modules"] = vars(rehearsal)["make_modules"] = make_double
    PictureDataset.ready = ready_double  # type: ignore[method-assign]
    sys.argv[:] = ["zoo", *words]
    raise SystemExit(main())


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
        for processes in (2,) if model.endswith(DOUBLE) else (2, 4):
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
    if sys.argv[1:2] == ["--child"]:
        in_double(sys.argv[2:])
    names = [f"{name}{DOUBLE}" for name in sys.argv[2:]] if sys.argv[1:2] == ["--double"] else sys.argv[1:] or OPTIONS
    for name in names:
        known = json.loads(FILE.read_text()) if FILE.is_file() else {}
        known[name] = measure(name)
        FILE.write_text(json.dumps(known, indent=2) + "\n")
        write(known)
        print(name, known[name], flush=True)
