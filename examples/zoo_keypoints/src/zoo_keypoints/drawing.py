"""Pictures with points in them.  Pillow and numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw

SIDE: Final = 288
"""The longer side of what is shown, in pixels."""
FOUND, TRUE = (230, 40, 40), (40, 200, 70)

Points = Sequence[Sequence[float]]


def marked(pixels: np.ndarray[Any, Any], points: Points, *, truth: Points = ()) -> Image.Image:
    """uint8 [h, w, 1 or 3] with a numbered cross at each point, x and y in pixels; the truth in green."""
    levels = np.repeat(pixels, 3, axis=2) if pixels.shape[-1] == 1 else pixels
    picture = Image.fromarray(np.ascontiguousarray(levels))
    factor = SIDE / max(picture.size)
    picture = picture.resize((max(1, round(picture.width * factor)), max(1, round(picture.height * factor))))
    draw = ImageDraw.Draw(picture)
    for colour, places in ((TRUE, truth), (FOUND, points)):
        for number, (x, y) in enumerate(places, start=1):
            _cross(draw, x * factor, y * factor, str(number), colour)
    return picture


def _cross(draw: ImageDraw.ImageDraw, x: float, y: float, text: str, colour: tuple[int, int, int]) -> None:
    draw.line((x - 6, y, x + 6, y), fill=colour, width=2)
    draw.line((x, y - 6, x, y + 6), fill=colour, width=2)
    draw.text((x + 5, y + 3), text, fill=colour)
