"""The chart of `zoo bench --chart`: latencies side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zoo.data.charts import new_figure, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zoo.bundle.benchmark import Benchmark


def latency_chart(measured: Benchmark, *, machine: str) -> Figure:
    """A bar up to the median of each subject, a line on to 90 % of the runs, and a dot at 99 %."""
    names = [subject.name for subject in measured.subjects]
    middle, most, nearly_all = (
        [1e3 * subject.percentile(percent) for subject in measured.subjects] for percent in (50, 90, 99)
    )
    figure = new_figure(7, 1.2 + 0.5 * len(names), layout="constrained")
    axes = figure.subplots()
    rows = range(len(names))
    bars = axes.barh(rows, middle, height=0.55, color="#4c78a8", label="median")
    axes.bar_label(bars, [f" {value:.3g} ms" for value in middle], label_type="center", color="white", fontsize=9)
    axes.hlines(rows, middle, most, colors="#333333", label="90 % of the runs")
    axes.plot(nearly_all, list(rows), "o", color="#e45756", markersize=4, label="99 %")
    axes.set_yticks(list(rows), names)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel("milliseconds")
    axes.set_title(f"{measured.graph}, batch {measured.batch}, threads {measured.threads}\n{machine}", fontsize=9)
    axes.legend(fontsize=8, loc="best")
    return figure


def save_latency_chart(measured: Benchmark, path: Path, *, machine: str) -> Path:
    """The chart as a PNG file."""
    return save(latency_chart(measured, machine=machine), path)
