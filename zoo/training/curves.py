"""The curves of a training as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zoo.runs.atomic import write_bytes

WANTED = ("train/loss", "validation/", "lr")


def draw_curves(rows: Sequence[dict[str, float]], file: Path) -> Path:
    """curves.png: the loss, every validation metric and the learning rate by epoch; rows are those of metrics.csv."""
    names = [name for name in rows[0] if name.startswith(WANTED)]
    figure = Figure(figsize=(3.4 * len(names), 2.8), layout="constrained")
    epochs = [row["epoch"] for row in rows]
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        axes.plot(epochs, [row.get(name, float("nan")) for row in rows], marker="o", markersize=3)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("epoch", fontsize=9)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(alpha=0.3)
    memory = BytesIO()
    figure.savefig(memory, format="png", dpi=110)
    write_bytes(file, memory.getvalue())
    return file
