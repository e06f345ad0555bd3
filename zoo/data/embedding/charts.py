"""The ROC curve as a chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.data.charts import new_figure
from zoo.data.embedding.verification import Roc

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def roc_chart(curve: Roc, *, far: float) -> Figure:
    """True accepts over false accepts, the latter also on a logarithmic axis, where verification is decided."""
    accepted, threshold = curve.at(far)
    figure = new_figure(8, 4, layout="constrained")
    plain, logarithmic = figure.subplots(1, 2)
    for axes in (plain, logarithmic):
        axes.plot(curve.false_accepts, curve.true_accepts, color="#1f5fa8")
        axes.plot([far], [accepted], "o", color="#c0392b")
        axes.set_xlabel("pairs of two identities accepted")
        axes.set_ylim(0, 1.01)
        axes.grid(alpha=0.3)
    plain.plot([0, 1], [0, 1], ":", color="grey")
    plain.set_ylabel("pairs of one identity accepted")
    plain.set_title(f"area {curve.area:.4f}", fontsize=10)
    logarithmic.set_xscale("log")
    logarithmic.set_xlim(max(float(curve.false_accepts[curve.false_accepts > 0].min()), 1e-5), 1)
    logarithmic.set_title(f"{accepted:.1%} accepted at {far:.0%} false, from {threshold:.4f} on", fontsize=10)
    return figure
