"""The curves of a training, or of several, as one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.data.charts import new_figure, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRAIN_LOSS, VALIDATION_LOSS = "train/loss", "validation/loss"
WANTED = (TRAIN_LOSS, "validation/", "lr")
COLUMNS = 3
"""Charts side by side: more could not be read on a phone."""


def draw_curves(rows: Sequence[Mapping[str, float]], file: Path) -> Path:
    """curves.png by epoch: the losses, every validation metric, the learning rate; rows are those of metrics.csv."""
    names = [name for name in rows[0] if name.startswith(WANTED) and name != VALIDATION_LOSS]
    figure, charts = _charts(["loss" if name == TRAIN_LOSS else name for name in names])
    for axes, name in zip(charts, names, strict=True):
        _draw(axes, rows, name, label=name)
        if name == TRAIN_LOSS and VALIDATION_LOSS in rows[0]:
            _draw(axes, rows, VALIDATION_LOSS, label=VALIDATION_LOSS, marker="s")
            axes.legend(fontsize=8)
    return save(figure, file)


def draw_comparison(runs: Mapping[str, Sequence[Mapping[str, float]]], file: Path) -> Path:
    """The curves of several runs over each other, one chart for each number that any of them has."""
    present = dict.fromkeys(name for rows in runs.values() for name in (rows[0] if rows else {}))
    names = [name for name in present if name.startswith(WANTED)]
    figure, charts = _charts(names)
    for axes, name in zip(charts, names, strict=True):
        for label, rows in runs.items():
            _draw(axes, rows, name, label=label)
    if charts:
        figure.legend(*charts[0].get_legend_handles_labels(), loc="outside lower center", fontsize=8)
    return save(figure, file)


def _charts(titles: Sequence[str]) -> tuple[Figure, list[Any]]:
    """A figure with a chart by epoch for each title."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  only drawing needs it

    columns = min(COLUMNS, max(len(titles), 1))
    rows = max(-(-len(titles) // columns), 1)
    figure = new_figure(3.4 * columns, 2.8 * rows, layout="constrained")
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, title in zip(grid, titles, strict=False):
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("epoch", fontsize=9)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(alpha=0.3)
    for axes in grid[len(titles) :]:
        axes.axis("off")
    return figure, grid[: len(titles)]


def _draw(axes: Any, rows: Sequence[Mapping[str, float]], name: str, *, label: str, marker: str = "o") -> None:
    values = [row.get(name, float("nan")) for row in rows]
    axes.plot([row["epoch"] for row in rows], values, marker=marker, markersize=3, label=label)
