"""The likeliest classes of an answer, best first.  Stands alone (numpy): bundles carry this code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def top(answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any], limit: int) -> list[tuple[str, float]]:
    """The likeliest classes with their probabilities, best first, `limit` at most."""
    probabilities = answer["probabilities"].reshape(-1)
    best = np.argsort(-probabilities, kind="stable")[:limit]
    return [(problem["classes"][index], float(probabilities[index])) for index in best]


def show(answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any], limit: int = 5) -> str:
    """A line for each of the likeliest classes: probability, bar, name."""
    best = top(answer, problem, limit)
    return "\n".join(f"{share:7.2%}  {'█' * round(np.nan_to_num(share) * 20):<20}  {name}" for name, share in best)


def record(answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any], limit: int = 5) -> dict[str, Any]:
    """The same for machines."""
    return {"classes": [{"name": name, "probability": share} for name, share in top(answer, problem, limit)]}
