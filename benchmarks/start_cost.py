"""What short commands cost beside importing PyTorch: CPU seconds in alternating rounds.

    python benchmarks/start_cost.py [--rounds 3] [--output benchmarks/start_cost.txt]

`--before FOLDER` names a checkout of an older zoo, which then takes turns with this one.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
FLOOR = "python -c 'import torch'"
COMMANDS = {
    "zoo list": ["list"],
    "zoo eval cnn@digits": ["eval", "cnn@digits"],
    "zoo predict cnn@digits seven.png": ["predict", "cnn@digits", str(ROOT / "docs" / "pictures" / "seven.png")],
    "zoo train cnn --max-steps 40": ["train", "cnn", "--max-steps", "40", "--threads", "1", "--overwrite", "-o", "run"],
}


def cpu_seconds(command: list[str], folder: Path, checkout: Path) -> float:
    """Of one process and its children, on one thread."""
    path = os.pathsep.join(str(checkout / part) for part in (".", "plugins", "export"))
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "ZOO_STATE": str(folder / "state")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    checkouts = {"": ROOT} | ({" (before)": options.before} if options.before else {})
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds + 1):  # the first round compiles, and does not count
            turns = {FLOOR: ([sys.executable, "-c", "import torch"], ROOT)}
            for name, words in COMMANDS.items():
                for mark, checkout in checkouts.items():
                    turns[name + mark] = ([sys.executable, "-m", "zoo", *words], checkout)
            for name, (command, checkout) in turns.items():
                spent = cpu_seconds(command, Path(folder), checkout)
                if number:
                    seconds.setdefault(name, []).append(spent)
    floor = statistics.median(seconds[FLOOR])
    lines = [f"CPU seconds on one thread, median of {options.rounds} alternating rounds", ""]
    lines.append(f"{'':42}{'median':>8}{'- import torch':>16}{'x import torch':>16}")
    for name, turns_of_it in seconds.items():
        median = statistics.median(turns_of_it)
        lines.append(f"{name:42}{median:8.2f}{median - floor:16.2f}{median / floor:16.2f}")
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if options.output:
        options.output.write_text(text)


if __name__ == "__main__":
    main()
