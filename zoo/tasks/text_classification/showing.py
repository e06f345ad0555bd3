"""Probabilities made readable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

TOP = 5


def ranked(
    answer: Mapping[str, np.ndarray[Any, Any]], classes: Sequence[str], limit: int = TOP
) -> list[tuple[str, float]]:
    """The likeliest classes with their probabilities, best first."""
    probabilities = answer["probabilities"][0]
    best = np.argsort(-probabilities, kind="stable")[:limit]
    return [(classes[index], float(probabilities[index])) for index in best]


def show(answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any], limit: int = TOP) -> str:
    """A line for each of the likeliest classes: probability, bar, name."""
    lines = ranked(answer, problem["classes"], limit)
    return "\n".join(f"{share:7.2%}  {'█' * round(share * 20):<20}  {name}" for name, share in lines)
