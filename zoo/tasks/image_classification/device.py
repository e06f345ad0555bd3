"""Reading and showing for image classification; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.formats.pictures.decode import read_picture, white_level


def read(path: Path, problem: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The inputs of pipeline.onnx: `image` uint8 [height, width, 3]."""
    return {"image": read_picture(path, white=white_level(problem.get("facts", {})))}


def top(answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any], limit: int) -> list[tuple[str, float]]:
    """The likeliest classes with their probabilities, best first, `limit` at most."""
    probabilities = answer["probabilities"]
    best = np.argsort(-probabilities, kind="stable")[:limit]
    return [(problem["classes"][index], float(probabilities[index])) for index in best]


def show(answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any], limit: int = 5) -> str:
    """A line for each of the likeliest classes: probability, bar, name."""
    best = top(answer, problem, limit)
    return "\n".join(f"{share:7.2%}  {'█' * round(share * 20):<20}  {name}" for name, share in best)
