"""Does a data set ten times a memory limit train under it?  Pictures of 512 px, in a control group with a limit.

    python benchmarks/small_memory.py [--limit 800] [--times 10] > benchmarks/small_memory.txt

Needs a control group that this user may make (root, version 1 or 2); the limit is the kernel's, for the whole command:
interpreter, libraries, check, two epochs and validation.  The model is a mean and a line, so that reading is the work.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

import zoo

if TYPE_CHECKING:
    from torch import nn

MB = 1 << 20
SIDE = 512
BYTES = 3 * SIDE * SIDE
ROOT = Path("/sys/fs/cgroup")


class Plugin:
    """A plugin with one model."""

    @zoo.hookimpl
    def zoo_models(self) -> Iterable[zoo.ModelSpec]:
        """`meancolour`."""
        yield zoo.ModelSpec(
            name="meancolour",
            task="image-classification",
            builder="benchmarks.small_memory:build",
            trainer="classification",
            input=zoo.ImageInput(size=(SIDE, SIDE)),
            recipes={"default": zoo.Recipe(epochs=2, batch_size=16, lr=0.1)},
        )


def build(*, num_classes: int) -> nn.Module:
    """The mean of every channel, and a line."""
    from torch import nn  # noqa: PLC0415  the parent needs none of it

    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, num_classes))


def make(folder: Path, count: int) -> None:
    """Red and blue pictures with noise, uncompressed: their files are as large as what they decode to."""
    random = np.random.default_rng(0)
    noise = random.integers(0, 64, (64, SIDE, SIDE, 3), dtype=np.uint8)
    for number in range(count):
        levels = noise[number % 64].copy()
        levels[..., 0 if number % 2 else 2] += 128
        levels[0, :4, 1] = np.frombuffer(number.to_bytes(4, "little"), np.uint8)  # no two are the same
        path = folder / ("red" if number % 2 else "blue") / f"{number}.bmp"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(levels).save(path)


@contextmanager
def group(limit: int) -> Iterator[Path]:
    """A control group with a limit of memory, and of memory with swap."""
    version_1 = (ROOT / "memory" / "memory.limit_in_bytes").exists()
    folder = (ROOT / "memory" if version_1 else ROOT) / f"small-memory-{os.getpid()}"
    folder.mkdir()
    try:
        (folder / ("memory.limit_in_bytes" if version_1 else "memory.max")).write_text(str(limit))
        swap = folder / ("memory.memsw.limit_in_bytes" if version_1 else "memory.swap.max")
        if swap.exists():
            swap.write_text(str(limit if version_1 else 0))
        yield folder
    finally:
        folder.rmdir()


def train(folder: Path, joined: Path) -> None:
    """The training, in the group; what it took."""
    (joined / "cgroup.procs").write_text(str(os.getpid()))
    from zoo.data.image.dataset import OnDemand  # noqa: PLC0415  in the group
    from zoo.registry.catalog import Catalog  # noqa: PLC0415
    from zoo.registry.discovery import installed_candidates  # noqa: PLC0415

    kinds: list[str] = []
    plain = OnDemand.take

    def take(levels: OnDemand[object], index: object) -> object:
        kinds.append("from the disk")
        return plain(levels, index)  # type: ignore[arg-type]

    OnDemand.take = take  # type: ignore[assignment,method-assign]
    start = time.perf_counter()
    catalog = Catalog.discover([*installed_candidates(), Plugin()])
    run = zoo.train("meancolour", data=folder / "data", output=folder / "run", threads=1, catalog=catalog)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    counts = run.data.counts
    print(
        f"{run.record.status}: {counts}, top-1 {run.record.metrics['top1']:.2%}, batches {sorted(set(kinds))}; "
        f"CPU {usage.ru_utime + usage.ru_stime:.0f} s, wall {time.perf_counter() - start:.0f} s"
    )


def main() -> None:
    """Make the pictures, the group and the training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=800, help="MB")
    parser.add_argument("--times", type=float, default=10)
    parser.add_argument("--in-group", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_group:
        train(*options.in_group)
        return
    count = round(options.times * options.limit * MB / BYTES)
    with tempfile.TemporaryDirectory() as name, group(options.limit * MB) as joined:
        folder = Path(name)
        make(folder / "data", count)
        print(f"{count:,} pictures, {count * BYTES / MB:,.0f} MB decoded; at most {options.limit} MB for the training")
        sys.stdout.flush()
        environment = {**os.environ, "ZOO_CACHE": str(folder / "cache"), "ZOO_STATE": str(folder / "state")}
        command = [sys.executable, "-m", "benchmarks.small_memory", "--in-group", str(folder), str(joined)]
        subprocess.run(command, env=environment, check=True)
        peak = joined / "memory.max_usage_in_bytes"
        if peak.exists():
            print(f"peak of the group, files that it read included: {int(peak.read_text()) / MB:,.0f} MB")


if __name__ == "__main__":
    main()
