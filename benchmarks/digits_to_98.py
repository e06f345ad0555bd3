"""CPU seconds to 98 % on 5,000 digits as PNG of 28 px: `zoo train resnet --data FOLDER` beside timm and ultralytics.

    python benchmarks/digits_to_98.py MNIST --timm PATH/train.py [--ultralytics] [--rounds 2]

MNIST holds the four original files (as `torchvision.datasets.MNIST` downloads them, with .gz or without); the first
5,000 training digits and the first 1,000 test digits become FOLDER/{train,val}/DIGIT/NUMBER.png.  timm's train.py comes
from its repository and is not part of its wheel; timm and ultralytics may lie in a folder of their own (--peers).

Whole commands, in alternating turns: the interpreter, the imports and the workers count.  CPU seconds of all processes
of a command up to the first line of its table of epochs that says 98 %, and to its end.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

LEVEL = 0.98
PARTS = {"train": ("train", 5_000), "val": ("t10k", 1_000)}
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A command, and where its table of epochs says the accuracy."""

    command: tuple[str, ...]
    table: str
    """A pattern of file names below the working directory."""
    column: str
    scale: float = 1.0
    """What 100 % is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """CPU seconds of one command."""

    to_level: float | None
    whole: float
    best: float


def pictures(mnist: Path, folder: Path) -> None:
    """The digits as PNG in folders of their classes."""
    for split, (name, count) in PARTS.items():
        images = unpacked(mnist / f"{name}-images-idx3-ubyte", offset=16).reshape(-1, 28, 28)
        labels = unpacked(mnist / f"{name}-labels-idx1-ubyte", offset=8)
        for number, (image, label) in enumerate(zip(images[:count], labels[:count], strict=True)):
            path = folder / split / str(label) / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)


def unpacked(file: Path, *, offset: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """The bytes of an IDX file after its header."""
    packed = file.with_name(f"{file.name}.gz")
    data = gzip.decompress(packed.read_bytes()) if packed.exists() else file.read_bytes()
    return np.frombuffer(data, np.uint8, offset=offset)


def peers(folder: Path, options: argparse.Namespace) -> Mapping[str, Peer]:
    """The commands that take turns."""
    zoo = Peer(
        command=(sys.executable, "-m", "zoo", "train", "resnet", "--data", str(folder), "-o", "run"),
        table="run/metrics.csv",
        column="validation/top1",
    )
    timm = Peer(
        command=(
            sys.executable, str(options.timm), "--data-dir", str(folder), "--train-split", "train", "--val-split",
            "val", "--model", "resnet18", "--num-classes", "10", "--img-size", "32", "--batch-size", "64", "--epochs",
            str(options.timm_epochs), "--opt", "adamw", "--lr", "2e-3", "--warmup-epochs", "1", "--workers", "1",
            "--device", "cpu", "--output", "out", "--scale", "0.9", "1.0", "--ratio", "1", "1",
            "--hflip", "0", "--color-jitter", "0",
        ),
        table="out/*/summary.csv",
        column="eval_top1",
        scale=100.0,
    )  # fmt: skip
    yolo = "import ultralytics.cfg; ultralytics.cfg.entrypoint()"
    ultralytics = Peer(
        command=(
            sys.executable, "-c", yolo, "classify", "train", f"data={folder}", "model=yolov8n-cls.yaml", "epochs=12",
            "imgsz=32", "batch=64", "device=cpu", "workers=0", "plots=False", "project=out",
        ),
        table="**/results.csv",
        column="metrics/accuracy_top1",
    )  # fmt: skip
    chosen = {"zoo train resnet": zoo}
    if options.timm:
        chosen["timm train.py, resnet18"] = timm
    if options.ultralytics:
        chosen["ultralytics, yolov8n-cls"] = ultralytics
    return chosen


def run(peer: Peer, folder: Path, environment: Mapping[str, str]) -> Spent:
    """One command to its end, watched."""
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(
            peer.command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        reached, whole = None, 0.0
        while child.poll() is None:
            time.sleep(0.25)  # looking takes time of the same cores
            whole = max(whole, cpu_seconds(child.pid))
            if reached is None and best_of(peer, folder) >= LEVEL:
                reached = whole
    if child.returncode:
        raise SystemExit(f"{' '.join(peer.command)} failed:\n{(folder / 'log').read_text(errors='replace')[-2000:]}")
    return Spent(to_level=reached, whole=whole, best=best_of(peer, folder))


def best_of(peer: Peer, folder: Path) -> float:
    """The best accuracy in the table so far; 0 where there is none."""
    values = [0.0]
    for table in folder.glob(peer.table):
        with table.open(newline="") as file:
            for row in csv.DictReader(file, skipinitialspace=True):
                value = row.get(peer.column) or "0"
                values.append(float(value) / peer.scale)
    return max(values)


def cpu_seconds(session: int) -> float:
    """Of all processes of a session, with those that have ended."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if int(fields[3]) == session:
            total += sum(map(int, fields[11:15]))
    return total / TICKS


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mnist", type=Path)
    parser.add_argument("--timm", type=Path)
    parser.add_argument("--timm-epochs", type=int, default=9, help="its schedule's length; 6 end below 98 %%")
    parser.add_argument("--ultralytics", action="store_true")
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    spent: dict[str, list[Spent]] = {}
    with tempfile.TemporaryDirectory() as root:
        data = Path(root) / "digits"
        pictures(options.mnist, data)
        paths = [os.environ.get("PYTHONPATH", ""), str(options.peers.absolute()) if options.peers else ""]
        environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads), "YOLO_OFFLINE": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(
            str(Path(part).absolute()) for path in paths for part in path.split(os.pathsep) if part
        )
        for number in range(options.rounds):
            for name, peer in peers(data, options).items():
                folder = Path(root) / f"{number} {name.partition(' ')[0]}"
                folder.mkdir()
                # nothing is known of the data from the rounds before
                own = {"ZOO_CACHE": str(folder / "cache"), "ZOO_STATE": str(folder / "state")}
                spent.setdefault(name, []).append(run(peer, folder, {**environment, **own}))
    print(f"CPU seconds, {options.threads} thread(s), {options.rounds} alternating rounds, medians\n")
    for line in table(spent):
        print(line.rstrip())


def table(spent: Mapping[str, Sequence[Spent]]) -> Iterator[str]:
    """A line for each command; a level that a round did not reach has no median."""
    yield f"{'':28}{'to 98 %':>12}{'to the end':>12}{'best top-1':>12}{'ratio to 98 %':>15}"
    reached_at = {name: [turn.to_level for turn in turns] for name, turns in spent.items()}
    levels = {
        name: statistics.median(value for value in values if value is not None)
        for name, values in reached_at.items()
        if None not in values
    }
    zoo = levels.get("zoo train resnet")
    for name, turns in spent.items():
        level, known = levels.get(name), zoo is not None and name in levels
        reached = "not reached" if level is None else f"{level:.1f}"
        ratio = f"{levels[name] / levels['zoo train resnet']:.1f}" if known else ""
        whole, best = statistics.median(turn.whole for turn in turns), min(turn.best for turn in turns)
        yield f"{name:28}{reached:>12}{whole:>12.1f}{best:>12.2%}{ratio:>15}"


if __name__ == "__main__":
    main()
