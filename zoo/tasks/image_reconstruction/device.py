"""Reading and showing for image reconstruction; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zoo.data.image.device import read_image


def read(path: Path, problem: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The inputs of pipeline.onnx: `image` uint8 [height, width, 3], and `noise` of zeros where the model takes any."""
    return {**read_image(path, problem), **silence(problem["input"].get("noise", 0))}


def silence(size: int) -> dict[str, np.ndarray[Any, Any]]:
    """`noise` of zeros, float32 [size]; nothing for a model that takes none."""
    return {"noise": np.zeros(size, np.float32)} if size else {}


def picture(answer: Mapping[str, np.ndarray[Any, Any]]) -> Image.Image:
    """The reconstruction as a picture that can be saved."""
    levels = answer["image_out"]
    return Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels)


def show(answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any]) -> str:  # noqa: ARG001  every task's
    """One line: size and levels of the reconstruction."""
    levels = answer["image_out"]
    height, width, channels = levels.shape
    kind = "grey" if channels == 1 else "colour"
    return f"{height} x {width} {kind} picture, levels {levels.min()} to {levels.max()}, mean {levels.mean():.1f}"
