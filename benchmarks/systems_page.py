"""docs/systems.md: what was measured of every system, as one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from benchmarks.systems_rows import System

VERBS: Final = ("list", "info", "train", "eval", "predict", "export", "verify", "run.py")
HEAD: Final = """# Every system, every verb

Each cell is a command that was run, written by `benchmarks/systems.py` from `benchmarks/systems.json`. A number is
the CPU seconds of the whole command, interpreter start included, on one core of a shared two-core machine; a cell
that failed says why. `train` is the default training on the embedded data with seed 0, `eval` is the metric on the
test split, `export` the export with its whole proof, `verify` checks the bundle and asks it without torch, `run.py`
is the bundle's own self-test and answer where neither torch nor zoo can be imported. Parity is the largest error of
any output, in units of PyTorch's own rounding error (above 4 warns, 8 is the limit); sizes are those of `model.onnx`.
The machine has AVX2 alone; on one with AVX-512 the same trainings took between a half and a third of the CPU seconds.

"""


def page(systems: Mapping[str, System], rows: Mapping[str, Any]) -> str:
    """The page in Markdown; systems that nobody measured yet are named below the table."""
    columns = ("system", "task", *VERBS, "metric", "level", "verdict", "parity", "size", "measured")
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [_line(system, rows[name]) for name, system in systems.items() if name in rows]
    missing = [name for name in systems if name not in rows]
    note = f"\nNot measured yet: {', '.join(missing)}.\n" if missing else ""
    return HEAD + "\n".join(lines) + "\n" + note


def _line(system: System, row: Mapping[str, Any]) -> str:
    cells = [_cell(row["cells"][verb]) for verb in VERBS]
    metrics = row.get("metrics", {})
    wanted = [(name, metrics[name]) for name in system.metric.split(", ") if name in metrics]
    reached = ", ".join(f"{name} {value:.4g}" for name, value in wanted)
    parity = "" if row.get("parity") is None else f"{row['parity']:.1f}"
    size = _size(row["bytes"]["model.onnx"]) if "bytes" in row else ""
    values = (f"`{system.name}`", row.get("task", ""), *cells, reached, system.level, row.get("verdict", ""), parity)
    return f"| {' | '.join([*values, size, row['measured']])} |"


def _cell(cell: Mapping[str, Any]) -> str:
    if not cell["ok"]:
        return f"**fails**: {cell['reason']}".replace("|", "/").replace("\n", " ")
    if "note" in cell:
        return str(cell["note"])
    text = f"{cell['cpu']:.0f}" if cell["cpu"] >= 10 else f"{cell['cpu']:.1f}"
    return f"{text} ({cell['epochs']} epochs)" if cell.get("epochs") else text


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
