"""Error against noise as inline SVG: one point per case, and the lines of 1, 4 and 8 times the noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from zoo.api.data import counted
from zoo.bundle.judge.parity_rule import FLOOR, WARN_ABOVE, K
from zoo.bundle.report.html import Html, element

SIZE = 300
MARGIN = 46
_SMALLEST, _LARGEST = 1e-10, 1e30
"""What is drawn; points beyond lie on the edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One case: errors relative to the scale of the reference."""

    case: str
    noise: float
    """rms(e_torch) / rms(reference)."""
    error: float
    """rms(e_onnx) / rms(reference)."""
    status: str
    gates: bool


def scatter(points: Sequence[Point], *, title: str) -> Html:
    """Error of the file over PyTorch's own noise, both logarithmic."""
    decades = _decades(points)
    drawn = [
        *_frame(decades),
        *(_times(factor, decades, kind=kind) for factor, kind in ((1.0, "one"), (WARN_ABOVE, "warn"), (K, "fail"))),
        *(_dot(point, decades) for point in points),
    ]
    label = f"{title}: error of the file against the noise of PyTorch, {counted(len(points), 'case')}"
    view = {"viewBox": f"0 -12 {SIZE + MARGIN + 14} {SIZE + MARGIN + 12}", "role": "img", "aria-label": label}
    caption = element("figcaption", title)
    return element("figure", caption, element("svg", *drawn, attributes=view), kind="scatter")


def _decades(points: Sequence[Point]) -> tuple[int, int]:
    """The powers of ten between which everything lies."""
    values = [min(max(value, _SMALLEST), _LARGEST) for point in points for value in (point.noise, point.error)] or [
        FLOOR
    ]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 0.2)
    return (low, high) if high - low >= 2 else (low - 1, low + 1)


def _at(value: float, decades: tuple[int, int]) -> float:
    """Pixels along an axis."""
    low, high = decades
    share = (math.log10(max(value, _SMALLEST)) - low) / (high - low)
    return SIZE * min(max(share, 0.0), 1.0)


def _frame(decades: tuple[int, int]) -> list[Html]:
    low, high = decades
    step = max(1, (high - low) // 5)
    drawn = [element("rect", kind="frame", attributes={"x": MARGIN, "y": 0, "width": SIZE, "height": SIZE})]
    for power in range(low, high + 1, step):
        at = _at(10.0**power, decades)
        x, y = MARGIN + at, SIZE - at
        drawn += [
            element("line", kind="grid", attributes={"x1": x, "x2": x, "y1": 0, "y2": SIZE}),
            element("line", kind="grid", attributes={"x1": MARGIN, "x2": MARGIN + SIZE, "y1": y, "y2": y}),
            _text(f"1e{power}", x=x, y=SIZE + 16, anchor="middle"),
            _text(f"1e{power}", x=MARGIN - 5, y=y + 4, anchor="end"),
        ]
    return [*drawn, _text("PyTorch's own fp32 noise", x=MARGIN + SIZE / 2, y=SIZE + 36, anchor="middle")]


def _times(factor: float, decades: tuple[int, int], *, kind: str) -> Html:
    low, high = 10.0 ** decades[0], 10.0 ** decades[1]
    start, end = (low, low * factor), (high / factor, high)
    ends = {
        "x1": MARGIN + _at(start[0], decades),
        "y1": SIZE - _at(start[1], decades),
        "x2": MARGIN + _at(end[0], decades),
        "y2": SIZE - _at(end[1], decades),
    }
    label = _text(f"{factor:g}x", x=ends["x2"], y=ends["y2"] - 3, anchor="middle")
    return element("g", element("line", attributes=ends), label, kind=f"times {kind}")


def _dot(point: Point, decades: tuple[int, int]) -> Html:
    label = f"{point.case}: noise {point.noise:.2e}, error {point.error:.2e} of the scale, {point.status}"
    position = {"cx": MARGIN + _at(point.noise, decades), "cy": SIZE - _at(point.error, decades), "r": 4}
    kind = f"dot {point.status.lower()}" + ("" if point.gates else " informs")
    return element("circle", element("title", label), kind=kind, attributes=position)


def _text(words: str, *, x: float, y: float, anchor: str) -> Html:
    return element("text", words, attributes={"x": x, "y": y, "text-anchor": anchor})
