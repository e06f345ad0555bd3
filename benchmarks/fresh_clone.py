"""From a fresh clone to a proved bundle, as README.md says it: clone, environment, install, train, export.

    python benchmarks/fresh_clone.py [--index-url URL] > benchmarks/fresh_clone.txt

pip takes its packages from its cache as far as they are there.  Seconds on the clock and CPU seconds of every command;
the bar is three minutes on the clock, on a machine with two idle cores.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]


def commands(clone: Path, index: str | None) -> Iterator[tuple[str, list[str]]]:
    """Every command with what it is called in the table."""
    programs = clone / "env" / "bin"
    yield "git clone", ["git", "clone", "--quiet", str(ROOT), str(clone)]
    yield "python -m venv", [sys.executable, "-m", "venv", str(clone / "env")]
    options = ["--extra-index-url", index] if index else []
    yield "pip install -e .", [str(programs / "pip"), "install", "--quiet", *options, "-e", str(clone)]
    yield "zoo train resnet", [str(programs / "zoo"), "train", "resnet"]
    yield "zoo export --onnx", [str(programs / "zoo"), "export", "--onnx"]


def cpu_seconds() -> float:
    """Of all commands that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index-url", help="Where pip finds PyTorch for the CPU.")
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores\n\n{'':20}{'clock s':>9}{'CPU s':>8}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = {"ZOO_CACHE": str(folder / "cache"), "ZOO_STATE": str(folder / "state"), "PYTHONPATH": ""}
        environment = {**os.environ, **own}
        begin, whole = time.perf_counter(), cpu_seconds()
        for what, command in commands(folder / "clone", options.index_url):
            start, before = time.perf_counter(), cpu_seconds()
            with (folder / "log").open("wb") as log:
                done = subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log, check=False)
            if done.returncode:
                raise SystemExit(f"{what} failed:\n{(folder / 'log').read_text(errors='replace')[-2000:]}")
            print(f"{what:20}{time.perf_counter() - start:9.1f}{cpu_seconds() - before:8.1f}", flush=True)
        print(f"{'in all':20}{time.perf_counter() - begin:9.1f}{cpu_seconds() - whole:8.1f}")


if __name__ == "__main__":
    main()
