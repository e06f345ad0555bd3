"""The curves of a training, or of several, as one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.data.charts import new_figure
from zoo.runs.atomic import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRAIN_LOSS, VALIDATION_LOSS = "train/loss", "validation/loss"
WANTED = (TRAIN_LOSS, "validation/", "lr")
COLUMNS = 3
"""Charts side by side: more could not be read on a phone."""


def draw_curves(rows: Sequence[dict[str, float]], file: Path) -> Path:
    """curves.png by epoch: the losses, every validation metric, the learning rate; rows are those of metrics.csv."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  only drawing needs it

    names = [name for name in rows[0] if name.startswith(WANTED) and name != VALIDATION_LOSS]
    columns = min(COLUMNS, len(names))
    rows_of_charts = -(-len(names) // columns)
    figure = new_figure(3.4 * columns, 2.8 * rows_of_charts, layout="constrained")
    grid = figure.subplots(rows_of_charts, columns, squeeze=False).flat
    epochs = [row["epoch"] for row in rows]
    for axes, name in zip(grid, names, strict=False):
        axes.plot(epochs, [row.get(name, float("nan")) for row in rows], marker="o", markersize=3, label=name)
        if name == TRAIN_LOSS and VALIDATION_LOSS in rows[0]:
            losses = [row.get(VALIDATION_LOSS, float("nan")) for row in rows]
            axes.plot(epochs, losses, marker="s", markersize=3, label=VALIDATION_LOSS)
            axes.legend(fontsize=8)
        axes.set_title("loss" if name == TRAIN_LOSS else name, fontsize=10)
        axes.set_xlabel("epoch", fontsize=9)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(alpha=0.3)
    for axes in grid[len(names) :]:
        axes.axis("off")
    return _save(figure, file)


def draw_comparison(runs: Mapping[str, Sequence[dict[str, float]]], file: Path) -> Path:
    """The curves of several runs over each other, one chart for each number that any of them has."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  only drawing needs it

    present = dict.fromkeys(name for rows in runs.values() for name in (rows[0] if rows else {}))
    names = [name for name in present if name.startswith(WANTED)]
    columns = min(COLUMNS, max(len(names), 1))
    rows_of_charts = max(-(-len(names) // columns), 1)
    figure = new_figure(3.4 * columns, 2.8 * rows_of_charts + 0.4, layout="constrained")
    grid = list(figure.subplots(rows_of_charts, columns, squeeze=False).flat)
    for axes, name in zip(grid, names, strict=False):
        for label, rows in runs.items():
            epochs = [row["epoch"] for row in rows]
            axes.plot(epochs, [row.get(name, float("nan")) for row in rows], marker="o", markersize=3, label=label)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("epoch", fontsize=9)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(alpha=0.3)
    for axes in grid[len(names) :]:
        axes.axis("off")
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", fontsize=8)
    return _save(figure, file)


def _save(figure: Figure, file: Path) -> Path:
    memory = BytesIO()
    figure.savefig(memory, format="png", dpi=110)
    write_bytes(file, memory.getvalue())
    return file
