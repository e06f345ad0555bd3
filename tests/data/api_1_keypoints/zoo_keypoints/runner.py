"""Reading pictures and showing points; with the code it imports from zoo, the task.py of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo import read_picture


def read(path: Path, problem: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:  # noqa: ARG001  every task's
    """The inputs of pipeline.onnx: `image` uint8 [height, width, 3]."""
    return {"image": read_picture(path)}


def show(answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any]) -> str:
    """A line for each point: its name, x and y in pixels."""
    places = zip(problem["classes"], answer["points"].tolist(), strict=True)
    return "\n".join(f"{name}: {x:.1f}, {y:.1f}" for name, (x, y) in places)
