"""The class of every pixel, from an index mask's file or from regions that are drawn.  Torch-free."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL
from PIL import Image

from zoo.data.formats.inspection import Facts
from zoo.data.formats.masks.masks import Shape
from zoo.data.formats.pictures.decode import complaint

Pixels = npt.NDArray[np.uint8]

VERSION = f"index masks 1, Pillow {PIL.__version__}"
MASK_FIX = "save it as a PNG of one channel (mode P or L) whose pixels are class numbers, 255 where left open"
_LOSSY = frozenset({"JPEG", "WEBP", "JPEG2000", "AVIF"})


def read_mask(path: Path) -> Pixels:
    """uint8 [height, width] of class numbers; ValueError says why a file is no index mask."""
    return _decoded(path.read_bytes(), path)


def inspect_mask(path: Path) -> Facts:
    """Size, hash and the class numbers that a mask holds."""
    data = path.read_bytes()
    classes = _decoded(data, path)
    return {
        "sha256": hashlib.sha256(data).hexdigest(),
        "height": classes.shape[0],
        "width": classes.shape[1],
        "values": np.unique(classes).tolist(),
    }


def _decoded(data: bytes, path: Path) -> Pixels:
    memory = BytesIO(data)
    try:
        with Image.open(memory) as image:
            image.load()
            kind, mode, values = image.format, image.mode, np.array(image)
    except Exception as error:  # Pillow's decoders raise whatever they like on damaged files
        raise ValueError(f"{path} {complaint(memory, error)}") from error
    if kind in _LOSSY:
        raise ValueError(f"{path} is a {kind}, which changes class numbers when it is saved")
    if mode not in ("1", "L", "P") and not mode.startswith("I"):
        grey = values.ndim == 3 and values.shape[2] >= 3 and bool((values[..., :3] == values[..., :1]).all())
        equal = ", though its channels are equal" if grey else ""
        raise ValueError(f"{path} is a colour picture (mode {mode}{equal}), not an index mask")
    if int(values.max()) > 255 or int(values.min()) < 0:
        raise ValueError(f"{path} holds the class number {int(values.max())}; the largest is 254, and 255 is left open")
    return values.astype(np.uint8)


def drawn_mask(shapes: Iterable[Shape], height: int, width: int) -> Pixels:
    """Regions drawn one over the other as COCO's own code draws them, uint8 [height, width]; 0 where none is."""
    classes = np.zeros((height, width), np.uint8)
    for label, region in shapes:
        classes[drawn_region(json.loads(region), height, width)] = label
    return classes


def drawn_region(region: Any, height: int, width: int) -> npt.NDArray[np.bool_]:
    """Polygons [[x, y, x, y, …], …] or run lengths {size, counts} as bool [height, width]; ValueError if neither."""
    from faster_coco_eval.core import mask as coco  # noqa: PLC0415  only for COCO's JSON

    try:
        if isinstance(region, list):
            runs = coco.merge(coco.frPyObjects([[float(value) for value in part] for part in region], height, width))
        else:
            packed = isinstance(region["counts"], str)
            runs = region if packed else coco.frPyObjects(region, height, width)
        drawn = np.asarray(coco.decode(runs))
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
        raise ValueError(f"neither polygons nor run lengths can be read from it: {error}") from error
    if drawn.shape != (height, width):
        raise ValueError(f"its run lengths are for {drawn.shape[1]} x {drawn.shape[0]} pixels, not {width} x {height}")
    return drawn.astype(bool)
