"""Reading and showing for object detection; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.data.image.device import read

__all__ = ["choose", "found", "read", "record", "show", "threshold"]

THRESHOLD = 0.3
"""Detections with a lower score are counted but not listed, unless the user chooses another threshold."""
LIMIT = 20


def choose(arguments: list[str], problem: dict[str, Any]) -> list[str]:
    """What is left of a command line without --threshold, which goes into the problem; nothing where that is wrong."""
    if "--threshold" not in arguments:
        return arguments
    at = arguments.index("--threshold")
    try:
        least = float(arguments[at + 1])
    except (IndexError, ValueError):
        return []
    problem["facts"] = {**problem.get("facts", {}), "threshold": least}
    return [*arguments[:at], *arguments[at + 2 :]] if 0 <= least <= 1 else []


def threshold(problem: Mapping[str, Any]) -> float:
    """The score from which on detections are listed."""
    return float(problem.get("facts", {}).get("threshold", THRESHOLD))


def found(
    answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any]
) -> list[tuple[str, float, tuple[float, ...]]]:
    """Class name, score and box (left, top, right, bottom in pixels) of the listed detections, best first."""
    least = threshold(problem)
    rows = zip(answer["labels"], answer["scores"], answer["boxes"], strict=True)
    return [
        (problem["classes"][label], float(score), tuple(round(float(edge), 1) for edge in box))
        for label, score, box in rows
        if score >= least
    ]


def show(answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any], limit: int = LIMIT) -> str:
    """A line for each listed detection: score, name, box; then how many more there are."""
    listed = found(answer, problem)
    lines = [f"{score:7.2%}  {name}  at {', '.join(f'{e:g}' for e in box)}" for name, score, box in listed[:limit]]
    more, unsure = len(listed) - len(lines), len(answer["scores"]) - len(listed)
    lines += [f"and {more} more"] if more else []
    lines += [f"and {unsure} with a score below {100 * threshold(problem):.4g}%"] if unsure else []
    return "\n".join(lines) if lines else "nothing found"


def record(answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any]) -> dict[str, Any]:
    """The listed detections for machines, and how many there are with the unlisted ones."""
    listed = [{"label": name, "score": score, "box": list(box)} for name, score, box in found(answer, problem)]
    return {"detections": listed, "found": len(answer["scores"])}
