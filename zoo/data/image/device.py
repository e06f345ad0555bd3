"""A picture file as the input of pipeline.onnx; with the code it imports, part of the task.py of bundles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.formats.pictures.decode import read_picture, white_level


def read_image(path: Path, problem: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """`image` uint8 [height, width, 3]; ValueError or OSError says what the file is instead.

    Args:
        path: A picture file.
        problem: The facts of the manifest, `{"input": {...}}`.

    Returns:
        Upright RGB levels by the name of the graph's input.

    Raises:
        ValueError: The file is no picture.

    Examples:
        >>> read_image(Path("seven.png"), {"input": {}})["image"].dtype
        dtype('uint8')
    """
    return {"image": read_picture(path, white=white_level(problem.get("facts", {})))}


read = read_image
"""As the module that a bundle carries must call it."""
