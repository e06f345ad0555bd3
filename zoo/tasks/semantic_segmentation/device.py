"""Reading and showing for semantic segmentation; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from zoo.data.image.device import read

__all__ = ["class_map", "read", "record", "shares", "show"]


def shares(answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Name and share of every class that the picture shows, the largest first."""
    found, counts = np.unique(answer["classes"], return_counts=True)
    rows = [(problem["classes"][number], count / counts.sum()) for number, count in zip(found, counts, strict=True)]
    return sorted(((name, float(share)) for name, share in rows), key=lambda row: -row[1])


def show(answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any], limit: int = 20) -> str:
    """A line for each of the largest classes: share, bar, name."""
    lines = [f"{share:7.2%}  {'█' * round(share * 20):<20}  {name}" for name, share in shares(answer, problem)]
    return "\n".join(lines[:limit])


def record(answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any]) -> dict[str, Any]:
    """The same of all classes, for machines."""
    return {"classes": [{"name": name, "share": share} for name, share in shares(answer, problem)]}


def class_map(answer: Mapping[str, np.ndarray[Any, Any]]) -> Image.Image:
    """class_map(answer).save("classes.png"): pixels are class numbers, shown in Pascal VOC's colours."""
    if answer["classes"].dtype != np.uint8:  # more classes than a palette has colours
        return Image.fromarray(answer["classes"].astype(np.int32))
    bits = np.arange(256)[:, None] >> np.arange(8) & 1  # spread over red, green and blue, the lowest first
    colours = [bits[:, band::3] @ (128 >> np.arange((10 - band) // 3)) for band in range(3)]
    picture = Image.fromarray(answer["classes"], "P")
    picture.putpalette(np.stack(colours, axis=1).ravel().tolist())
    return picture
