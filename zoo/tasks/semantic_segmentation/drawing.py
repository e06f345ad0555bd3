"""Class maps in colour, over their pictures.  Pillow and numpy only."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from zoo.data.image.drawing import enlarged, side_by_side
from zoo.tasks.semantic_segmentation.device import class_map

OPACITY: Final = 0.6
"""Of the colours over the picture."""

Map = npt.NDArray[Any]


def overlaid(image: npt.NDArray[np.uint8], classes: Map) -> npt.NDArray[np.uint8]:
    """uint8 [h, w, 3] tinted where a class other than the first stands; pixels left open are pale."""
    colours = np.asarray(class_map({"classes": (classes.astype(np.int64) % 256).astype(np.uint8)}).convert("RGB"))
    tinted = np.round(image * (1 - OPACITY) + colours * OPACITY).astype(np.uint8)
    return np.where((classes == 0)[..., None], image, tinted)


def shown(image: npt.NDArray[np.uint8], classes: Map) -> Image.Image:
    """The picture beside itself with its classes over it."""
    return side_by_side(enlarged(image), enlarged(overlaid(image, classes)))


def beside_truth(image: npt.NDArray[np.uint8], truth: Map, predicted: Map) -> Image.Image:
    """The picture, with its true classes, and with the predicted classes."""
    first, second = (
        side_by_side(enlarged(image), enlarged(overlaid(image, truth))),
        enlarged(overlaid(image, predicted)),
    )
    return side_by_side(first, second)


def as_png(picture: Image.Image) -> bytes:
    """The bytes of a PNG file."""
    memory = BytesIO()
    picture.save(memory, "png")
    return memory.getvalue()
