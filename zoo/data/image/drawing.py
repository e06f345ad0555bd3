"""Pictures of answers, drawn with Pillow."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

SIDE = 256
"""The shorter side of what is shown, in pixels."""


def enlarged(pixels: npt.NDArray[np.uint8]) -> Image.Image:
    """uint8 [h, w, 1 or 3] as an RGB picture a person can see; small ones in whole blocks."""
    levels = np.repeat(pixels, 3, axis=2) if pixels.shape[-1] == 1 else pixels
    picture = Image.fromarray(levels)
    factor = SIDE / min(picture.size)
    resampling = Image.Resampling.NEAREST if factor > 2 else Image.Resampling.LANCZOS
    return picture.resize((max(1, round(picture.width * factor)), max(1, round(picture.height * factor))), resampling)


def labelled(picture: Image.Image, lines: Sequence[str]) -> Image.Image:
    """The picture with lines of text below it."""
    font = ImageFont.load_default(14)
    height = 20 * len(lines) + 8
    width = max(picture.width, *(int(font.getlength(line)) + 16 for line in lines))
    sheet = Image.new("RGB", (width, picture.height + height), "white")
    sheet.paste(picture, (0, 0))
    draw = ImageDraw.Draw(sheet)
    for number, line in enumerate(lines):
        draw.text((8, picture.height + 4 + 20 * number), line, fill="black", font=font)
    return sheet


def side_by_side(left: Image.Image, right: Image.Image) -> Image.Image:
    """Two pictures of one height with a narrow gap."""
    sheet = Image.new("RGB", (left.width + right.width + 8, max(left.height, right.height)), "white")
    sheet.paste(left, (0, 0))
    sheet.paste(right, (left.width + 8, 0))
    return sheet


def tiled(pictures: Sequence[Image.Image]) -> Image.Image:
    """All pictures in one, row by row, as many columns as rows or one more.

    Args:
        pictures: Of one size, at least one.

    Returns:
        One picture of Pillow.

    Examples:
        >>> from PIL import Image
        >>> zoo.tiled([Image.new("RGB", (10, 10))] * 4).size[0] >= 20
        True
    """
    columns = math.ceil(math.sqrt(len(pictures)))
    width, height = max(picture.width for picture in pictures), max(picture.height for picture in pictures)
    rows = math.ceil(len(pictures) / columns)
    whole = Image.new("RGB", (columns * (width + 4) - 4, rows * (height + 4) - 4), "white")
    for index, picture in enumerate(pictures):
        whole.paste(picture, (index % columns * (width + 4), index // columns * (height + 4)))
    return whole
