"""Reading and showing for object detection; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.data.image.device import read

__all__ = ["found", "read", "show"]

SURE = 0.3
"""Detections below this score are counted but not listed."""
LIMIT = 20


def found(
    answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any]
) -> list[tuple[str, float, tuple[float, ...]]]:
    """Class name, score and box (left, top, right, bottom in pixels) of the sure detections, best first."""
    rows = zip(answer["labels"], answer["scores"], answer["boxes"], strict=True)
    return [
        (problem["classes"][label], float(score), tuple(round(float(edge), 1) for edge in box))
        for label, score, box in rows
        if score >= SURE
    ]


def show(answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any], limit: int = LIMIT) -> str:
    """A line for each sure detection: score, name, box; then how many more there are."""
    sure = found(answer, problem)
    lines = [f"{score:7.2%}  {name}  at {', '.join(f'{edge:g}' for edge in box)}" for name, score, box in sure[:limit]]
    more, unsure = len(sure) - len(lines), len(answer["scores"]) - len(sure)
    lines += [f"and {more} more"] if more else []
    lines += [f"and {unsure} with a score below {SURE:.0%}"] if unsure else []
    return "\n".join(lines) if lines else "nothing found"
