"""How long `zoo list` takes, against a Python that only imports click and pluggy and reads the entry points.

    python benchmarks/list_speed.py [ROUNDS] [--against OTHER_ZOO]

Runs alternate, so that a busy moment hits both.  Prints the medians and the median of the ratios of neighbours, which
must be at most 1.5 with the output piped and in CPU seconds, and at most 2.0 on a terminal.  The CPU seconds, which a
busy machine changes less, are those of the bare Python, of `zoo list`, and of another zoo's.
"""

from __future__ import annotations

import os
import pty
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

BARE = "import click, pluggy; from importlib.metadata import entry_points; list(entry_points(group='zoo.plugins'))"
LIST = [sys.executable, "-c", "import sys; from zoo.cli import main; sys.exit(main(['list']))"]


def piped(command: list[str]) -> float:
    """Seconds of one run with its output piped."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def on_terminal(command: list[str]) -> float:
    """Seconds of one run on a terminal of its own."""
    terminal_end, process_end = pty.openpty()
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=process_end, stderr=process_end)
    os.close(process_end)
    try:
        while os.read(terminal_end, 1 << 16):
            pass
    except OSError:  # Linux says EIO when the last writer has left
        pass
    code = process.wait()
    os.close(terminal_end)
    if code:
        raise SystemExit(f"{command} ended with exit code {code}")
    return time.perf_counter() - start


def compare(run: Callable[[list[str]], float], rounds: int) -> tuple[float, float, float]:
    """Median seconds of the bare Python and of `zoo list`, and the median ratio of neighbours."""
    bare = [sys.executable, "-c", BARE]
    run(bare)
    run(LIST)
    pairs = [(run(bare), run(LIST)) for _ in range(rounds)]
    return median(one for one, _ in pairs), median(two for _, two in pairs), median(two / one for one, two in pairs)


def cpu(command: list[str]) -> float:
    """CPU seconds of one run with its output piped."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare_cpu(commands: dict[str, list[str]], rounds: int) -> None:
    """Print the median CPU seconds of each command, and the ratios of the second one to the others."""
    for command in commands.values():
        cpu(command)
    rows = [[cpu(command) for command in commands.values()] for _ in range(rounds)]
    for index, name in enumerate(commands):
        ratio = median(row[1] / row[index] for row in rows)
        print(f"CPU: {name} {median(row[index] for row in rows) * 1e3:.1f} ms, zoo list / {name} {ratio:.2f}")


def main() -> None:
    """Print the comparison, piped and on a terminal."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed zoo keeps its bytecode, as click does
    words = sys.argv[1:]
    other = words[words.index("--against") + 1 :] if "--against" in words else []
    rounds = int(words[0]) if words and words[0].isdigit() else 15
    lines = subprocess.run(LIST, check=True, capture_output=True, text=True).stdout.splitlines()
    print(f"{len(lines) - 2} models listed, {rounds} alternating rounds, {os.cpu_count()} cores")
    for name, run, limit in (("piped", piped, 1.5), ("on a terminal", on_terminal, 2.0)):
        bare, listed, ratio = compare(run, rounds)
        print(
            f"{name}: bare Python {bare * 1e3:.1f} ms, zoo list {listed * 1e3:.1f} ms, ratio {ratio:.2f} (<= {limit})"
        )
    others = {"the other zoo": [other[0], "list"]} if other else {}
    compare_cpu({"bare Python": [sys.executable, "-c", BARE], "zoo list": LIST, **others}, rounds)


if __name__ == "__main__":
    main()
