"""The geometry of `preprocess` with Pillow alone: within one grey level of it, where torch is not wanted."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from zoo.api.problem import ImageInput

FILTERS: Final = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "nearest": Image.Resampling.NEAREST,
}


def fitted(pixels: npt.NDArray[np.uint8], image: ImageInput) -> npt.NDArray[np.uint8]:
    """uint8 [height, width, 3] -> uint8 [*size, channels]."""
    picture = Image.fromarray(pixels)
    if image.channels == 1:
        picture = picture.convert("L")
    height, width = image.size
    if image.resize is None:
        return _levels(picture.resize((width, height), FILTERS[image.interpolation]))
    short = min(picture.size)
    wide, high = (image.resize * (short if image.stretch else side) // short for side in picture.size)
    halved = round if image.crop_rounding == "even" else int
    left, top = halved((wide - width) / 2), halved((high - height) / 2)
    scaled = picture.resize((wide, high), FILTERS[image.interpolation])
    return _levels(scaled.crop((left, top, left + width, top + height)))


def normalised(levels: npt.NDArray[Any], image: ImageInput) -> npt.NDArray[np.float32]:
    """Levels [h, w, channels] -> what a model takes, float32 [1, channels, h, w]."""
    values = (levels / 255 - np.array(image.mean)) / np.array(image.std)
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None], dtype=np.float32)


def _levels(picture: Image.Image) -> npt.NDArray[np.uint8]:
    levels = np.asarray(picture)
    return levels[..., None] if levels.ndim == 2 else levels
