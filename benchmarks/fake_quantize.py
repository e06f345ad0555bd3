"""Runs that lose too much in 8 bits, before and after the fine-tuning that `zoo export` prints; rows of variants.md.

python -m benchmarks.fake_quantize [NAME…] [--runs FOLDER] trains each model of `CASES` into FOLDER/NAME/a, exports it,
trains FOLDER/NAME/b by the printed command, and exports that.  What is there already is used.  The rows go into
variants.json and variants.md, next to those of `python -m benchmarks.variants`.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.photographs import crop_photographs
from benchmarks.variants import PAGE, RECORD, page, row
from zoo.bundle.runtime.bundle import Bundle
from zoo.runs.run import Run
from zoo.training.advice.remedy import learn_for_8_bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """How a model is trained, and the budget that its int8 variant misses."""

    data: str
    """Of embedded data the name; "photographs" for crops of scikit-image's."""
    epochs: int
    image_size: int | None = None
    """Where it is not the model's own."""
    max_drop: float | None = None


CASES = {
    "mnasnet0_5": Case(data="photographs", image_size=64, epochs=10),
    "resnet8": Case(data="digits", epochs=2, max_drop=0.002),
    "shufflenet_v2_x0_5": Case(data="photographs", image_size=64, epochs=10, max_drop=0.002),
}
"""By name of the model: depthwise convolutions, whose channels differ most in their ranges, and a short training."""


def zoo(*words: str, done: Path, refused: bool = False) -> None:
    """Runs a command of zoo unless `done` is there; `refused` takes exit code 1, a variant that was left out."""
    if done.exists():
        return
    print(f"$ zoo {shlex.join(words)}", flush=True)
    code = subprocess.run([sys.executable, "-m", "zoo", *words], check=False).returncode
    if code != 0 and not (refused and code == 1):
        raise SystemExit(f"it ended with exit code {code}")


def measure(name: str, runs: Path) -> Iterator[dict[str, Any]]:
    """The rows of one model: after its training, then after the fine-tuning."""
    case, folder = CASES[name], runs / name
    data = str(crop_photographs(runs / "photographs")) if case.data == "photographs" else case.data
    sizes = [] if case.image_size is None else ["--input-size", str(case.image_size)]
    sizes += ["--epochs", str(case.epochs), "--threads", "1"]
    budget = [] if case.max_drop is None else ["--max-drop", str(case.max_drop)]
    zoo("train", name, "--data", data, *sizes, "-o", str(folder / "a"), done=folder / "a")
    for run, words in (("a", ""), ("b", ", then fine-tuned for 8 bits")):
        if run == "b":
            tuned = shlex.split(learn_for_8_bits(Run.open(folder / "a")))
            zoo(*tuned[1:], "-o", str(folder / "b"), done=folder / "b")
        bundle = folder / f"{run}-bundle"
        export = ["export", str(folder / run), "--onnx", "--int8", *budget, "-o", str(bundle)]
        zoo(*export, done=bundle, refused=True)
        limit = "" if case.max_drop is None else f" (--max-drop {case.max_drop})"
        size = "" if case.image_size is None else f" at {case.image_size} px"
        title = f"{name}, trained on {case.data}{size} for {case.epochs} epochs{limit}{words}"
        report = Bundle.open(bundle).report()
        cpu = report.evidence.environment.cpu
        for made in report.variants:
            yield row(title, made.evidence, made.verdict, made.sentence, cpu=cpu)
        if all(made.published for made in report.variants):
            return  # nothing to be saved


def main() -> None:
    """Measure, and write both files after each export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=tuple(CASES))
    parser.add_argument("--runs", type=Path, default=Path("runs/fake_quantize"))
    arguments = parser.parse_args()
    for name in arguments.names:
        for made in measure(name, arguments.runs):
            kept = [entry for entry in json.loads(RECORD.read_text()) if entry["weights"] != made["weights"]]
            rows = sorted([*kept, made], key=lambda entry: (entry["weights"], entry["variant"]))
            RECORD.write_text(json.dumps(rows, indent=1) + "\n")
            PAGE.write_text(page(rows))
            print(f"{made['weights']}: {made['sentence']}", flush=True)


if __name__ == "__main__":
    main()
