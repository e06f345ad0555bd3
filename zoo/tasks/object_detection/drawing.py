"""Pictures with the detected boxes drawn into them.  Pillow and numpy only."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw

from zoo.tasks.object_detection.device import THRESHOLD

MIN_SIDE: Final = 320
"""Pictures whose longer side is shorter are enlarged to it, so that names can be read."""


def boxed(
    image: np.ndarray[Any, Any],
    boxes: Sequence[Sequence[float]],
    names: Sequence[str],
    scores: Sequence[float] | None,
    *,
    threshold: float = THRESHOLD,
) -> Image.Image:
    """uint8 [h, w, 3] with a frame, a name and a score for each detection from the threshold on.

    Boxes without scores, as true ones are, are all drawn.
    """
    picture = Image.fromarray(np.ascontiguousarray(image))
    factor = max(1, math.ceil(MIN_SIDE / max(picture.size)))
    picture = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(picture)
    line = max(2, max(picture.size) // 300)
    # the surest last, on top
    sure = [1.0] * len(boxes) if scores is None else scores
    for box, name, score in sorted(zip(boxes, names, sure, strict=True), key=lambda row: row[2]):
        if score < threshold:
            continue
        left, top, right, bottom = (edge * factor for edge in box)
        colour = colour_of(name)
        draw.rectangle((left, top, max(right, left + 1), max(bottom, top + 1)), outline=colour, width=line)
        label = name if scores is None else f"{name} {score:.0%}"
        frame = draw.textbbox((left + line, max(0, top - 13)), label)
        draw.rectangle(frame, fill=colour)
        draw.text(frame[:2], label, fill="black")
    return picture


def colour_of(name: str) -> tuple[int, int, int]:
    """A bright colour that belongs to the name."""
    hue = sum(ord(letter) * (index + 1) for index, letter in enumerate(name)) * 0.381966 % 1.0
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.6, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)
