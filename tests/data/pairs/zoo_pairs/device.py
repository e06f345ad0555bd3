"""Reading pairs and showing distances; the task.py of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def read(path: Path, problem: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """`left` and `right`, uint8 [height, width], of an .npz file."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in ("left", "right") if name in stored.files}
    for name in ("left", "right"):
        if name not in arrays or list(arrays[name].shape) != list(problem["input"][name]):
            raise ValueError(f"{name} is no picture of {problem['input'][name]}")
    return arrays


def show(answer: Mapping[str, Any], problem: Mapping[str, Any]) -> str:
    """The distance."""
    return f"distance {float(answer['distance'][0]):.3f}"
