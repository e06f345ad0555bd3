"""Does `zoo bench` agree with a loop written by hand?

    python benchmarks/bench_loop.py BUNDLE ... [--seconds 10] [--turns 5]

The loop is ONNX Runtime with its own settings and one thread, in this process: it takes turns with what `zoo bench`
measures, on the same input. Both are measured in processor time, so that a busy machine counts for neither. The result
is written into bench_loop.txt; exit code 1 where a median over the turns is off by more than 3 %.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when the library is loaded
import onnxruntime

from zoo.bundle.benchmark import PIPELINE, Run, benchmark, processor
from zoo.bundle.runtime.bundle import Bundle

if TYPE_CHECKING:
    from zoo.api.task import Arrays

RESULT = Path(__file__).with_suffix(".txt")
BAR = 0.03
LOOP = "a loop by hand"


def loop(path: Path, feeds: Arrays) -> Run:
    """Runs the graph so many times, and says how long each took."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [port.name for port in session.get_outputs()]

    def run(count: int) -> Sequence[float]:
        spent = []
        for _ in range(count):
            start = time.thread_time()
            session.run(names, feeds)
            spent.append(time.thread_time() - start)
        return spent

    return run


def compare(bundle: Bundle, *, seconds: float, turns: int) -> tuple[list[float], list[float]]:
    """Milliseconds of the median run in each turn: of zoo bench, of the loop."""
    medians: tuple[list[float], list[float]] = ([], [])
    for _ in range(turns):
        measured = benchmark(
            bundle,
            seconds=seconds,
            processor=True,
            others=lambda feeds: [(LOOP, loop(bundle.path / PIPELINE, feeds))],
        )
        for row, subject in zip(medians, measured.subjects, strict=True):
            row.append(1e3 * subject.percentile(50))
    return medians


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    lines, agree = [f"zoo bench beside a loop by hand, one thread, processor time, on {processor()}"], True
    for path in arguments.bundles:
        bundle = Bundle.open(path)
        benched, by_hand = compare(bundle, seconds=arguments.seconds, turns=arguments.turns)
        ratios = [measured / hand for measured, hand in zip(benched, by_hand, strict=True)]
        off = statistics.median(ratios) - 1
        agree &= abs(off) <= BAR
        lines.append(
            f"{bundle.manifest.model}: {statistics.median(benched):.4f} ms, "
            f"by hand {statistics.median(by_hand):.4f} ms, "
            f"off by {off:+.1%} (turns: {', '.join(f'{ratio - 1:+.1%}' for ratio in ratios)})"
        )
        print(lines[-1])
    RESULT.write_text("\n".join(lines) + "\n")
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
