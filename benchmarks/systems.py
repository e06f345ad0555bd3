"""Every system through every verb, each cell a command that was really run: systems.json, and docs/systems.md from it.

    python benchmarks/systems.py                      all rows that were not measured yet
    python benchmarks/systems.py gru lstm             these again
    python benchmarks/systems.py --page               docs/systems.md alone, from what was measured

A row's training is kept under --work and taken again from there.  Seconds are CPU seconds of the command and of all
that it starts, on one thread: two lanes can be measured beside each other on two cores.  run.py runs where importing
torch or zoo fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.systems_page import page
from benchmarks.systems_rows import SYSTEMS, System
from zoo.bundle.judge.cases import cells, gating
from zoo.bundle.report.record import read_report
from zoo.runs.atomic import write_bytes, write_json
from zoo.runs.run import Run

RESULT: Final = Path(__file__).with_suffix(".json")
PAGE: Final = Path(__file__).parents[1] / "docs" / "systems.md"
PICTURES: Final = PAGE.parent / "pictures"
REASON: Final = 200
"""Characters that a page has room for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One command that ran."""

    status: int
    cpu: float
    """Seconds, user and system."""
    wall: float
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What was printed, as JSON."""
        return json.loads(self.out)

    def cell(self, **facts: object) -> dict[str, Any]:
        """How it went: seconds, and the reason where it failed."""
        times = {"ok": self.status == 0, "cpu": round(self.cpu, 1), "wall": round(self.wall, 1)}
        return {**times, **facts} if self.status == 0 else {**times, "reason": _reason(self)}


def run(command: list[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Done:
    """A command in a process of its own, waited for."""
    start = time.perf_counter()
    before = os.times()
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})}, cwd=cwd
    )
    after = os.times()
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return Done(status=done.returncode, cpu=cpu, wall=time.perf_counter() - start, out=done.stdout, err=done.stderr)


def zoo(*arguments: str | Path) -> Done:
    """The command line, asked for JSON."""
    return run([sys.executable, "-m", "zoo", *arguments, "--json"])


def _reason(done: Done) -> str:
    """What a failed command said: the message of its JSON, its failed gates, or its last line."""
    try:
        document = done.document
    except ValueError:
        lines = (done.err.strip() or done.out.strip() or f"exit code {done.status}").splitlines()
        return lines[-1][:REASON]
    if "error" in document:
        return str(document["error"]["message"])[:REASON]
    gates = [gate for gate in document.get("gates", []) if gate["status"] not in ("PASS", "WARN")]
    return "; ".join(f"{gate['name']}: {gate['detail']}" for gate in gates)[:REASON] or f"exit code {done.status}"


class Measurement:
    """One row, cell after cell; a cell that needs another that failed is left out."""

    def __init__(self, system: System, work: Path) -> None:
        self.system = system
        self.place = work / system.name
        self.bundle = self.place / "bundle"
        self.row: dict[str, Any] = {"measured": datetime.now(UTC).date().isoformat(), "cells": {}}

    @property
    def target(self) -> str:
        """The run, or a part of another system's run."""
        if self.system.part_of:
            return f"{self.system.model}@{self.place.parent / self.system.part_of / 'run'}"
        return str(self.place / "run")

    def whole(self) -> dict[str, Any]:
        """All cells; those after a failed one that they build on say so."""
        steps: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
            "list": (self.listing, ""),
            "info": (self.info, ""),
            "train": (self.train, "list"),
            "eval": (self.evaluate, "train"),
            "predict": (partial(self.predict, self.target), "train"),
            "export": (self.export, "train"),
            "verify": (self.verify, "export"),
            "run.py": (self.on_the_device, "export"),
        }
        found = self.row["cells"]
        for verb, (measure, needed) in steps.items():
            whole = not needed or found[needed]["ok"]
            found[verb] = measure() if whole else {"ok": False, "reason": f"there was no {needed}"}
            print(f"{self.system.name} {verb}: {found[verb]}", file=sys.stderr, flush=True)
        return self.row

    def listing(self) -> dict[str, Any]:
        done = zoo("list", self.system.model)
        if done.status == 0:
            found = next((one for one in done.document if one["name"].endswith(f"/{self.system.model}")), None)
            if found is None:
                return done.cell() | {"ok": False, "reason": "no plugin offers it"}
            self.row |= {key: found[key] for key in ("task", "parameters")}
        return done.cell()

    def info(self) -> dict[str, Any]:
        return zoo("info", self.system.model).cell()

    def train(self) -> dict[str, Any]:
        """The default training, or what is kept of one."""
        if self.system.part_of:
            return {"ok": True, "cpu": None, "wall": None, "note": f"with {self.system.part_of}"}
        kept = self.place / "train.json"
        if kept.is_file() and (self.place / "run" / "run.json").is_file():
            cell: dict[str, Any] = json.loads(kept.read_bytes())
            return cell
        command: list[str | Path] = ["train", self.system.model, "-o", self.place / "run", "--overwrite"]
        done = zoo(*command, "--seed", "0", "--threads", "1", *self.system.training)
        epochs = Run.open(self.place / "run").record.epochs if done.status == 0 else 0
        cell = done.cell(epochs=epochs)
        if done.status == 0:
            write_json(kept, cell)
        return cell

    def evaluate(self) -> dict[str, Any]:
        done = zoo("eval", self.target)
        if done.status == 0:
            self.row["metrics"] = done.document["metrics"]
        return done.cell()

    def predict(self, target: str | Path) -> dict[str, Any]:
        done = zoo("predict", target, *self.system.inputs(PICTURES))
        unread = done.status == 0 and any("unreadable" in answer for answer in done.document["answers"])
        return done.cell() if not unread else {**done.cell(), "ok": False, "reason": "an input could not be read"}

    def export(self) -> dict[str, Any]:
        """The export with its proof; the worst ratio to PyTorch's own noise, and the files."""
        done = zoo("export", self.target, "--onnx", "-o", self.bundle, "--overwrite")
        report = self.bundle / "report.json"
        if report.is_file():
            self.row |= {"verdict": done.document["verdict"], "parity": worst_ratio(report)}
        if done.status == 0:
            self.row["bytes"] = {file: (self.bundle / file).stat().st_size for file in ("model.onnx", "pipeline.onnx")}
        return done.cell()

    def verify(self) -> dict[str, Any]:
        """The bundle checked, and asked."""
        done = zoo("verify", self.bundle)
        return done.cell() if done.status else self.predict(self.bundle) | done.cell()

    def on_the_device(self) -> dict[str, Any]:
        """run.py: its self-test and an answer, where neither torch nor zoo can be imported."""
        barred = self.place / "barred"
        for package in ("torch", "zoo"):
            write_bytes(barred / f"{package}.py", b"raise ImportError('a device has none')\n")
        env = {"PYTHONPATH": str(barred)}
        script: list[str | Path] = [sys.executable, self.bundle / "run.py"]
        done = run([*script, "--self-test"], env=env)
        asked: list[str | Path] = [*script, *self.system.inputs(PICTURES)]
        return done.cell() if done.status else run(asked, env=env, cwd=barred).cell()


def worst_ratio(path: Path) -> float | None:
    """The largest error of any gating output, in PyTorch's own noise; None where all are compared by answers."""
    evidence = read_report(path).evidence
    ratios = [
        cell.ratio
        for graph in evidence.graphs
        for case in gating(graph)
        for cell in cells(case, graph, evidence).values()
        if cell.ratio is not None and cell.status != "INCONCLUSIVE"
    ]
    return round(max(ratios), 2) if ratios else None


def read() -> dict[str, Any]:
    """What was measured so far, by system."""
    found: dict[str, Any] = json.loads(RESULT.read_bytes()) if RESULT.is_file() else {"schema": 1, "rows": {}}
    return found


def main() -> None:
    """Measure the rows that are named, or those that are missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*", help="; ".join(SYSTEMS))
    parser.add_argument("--work", type=Path, default=Path("runs/systems"))
    parser.add_argument("--page", action="store_true", help="only write docs/systems.md")
    said = parser.parse_args()
    missing = [name for name in SYSTEMS if name not in read()["rows"]]
    for name in [] if said.page else said.systems or missing:
        row = Measurement(SYSTEMS[name], said.work.resolve()).whole()
        found = read()  # another process may have measured another row
        write_json(RESULT, {**found, "rows": {**found["rows"], name: row}})
    write_bytes(PAGE, page(SYSTEMS, read()["rows"]).encode())


if __name__ == "__main__":
    main()
